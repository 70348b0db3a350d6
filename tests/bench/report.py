"""Makes docs/benchmarks.md of what was measured last on this machine: `make bench-report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from tests.bench.figures import Figure, Part, lasted

PAGE = Path("docs/benchmarks.md")

OURS = ("ours", "whole bot", "Hobnob", "engine")
"""What we are called in comparisons."""

HEAD = """# Measured

`make bench` measures all of this on two cores in less than 25 minutes, `make bench-quick` a little of everything in two, `make bench-long`
what takes longest, `make bench-gpu` models of real size where there is CUDA. `ONLY=chat` measures one part, `ARGS=--json` prints for
programs, and `make bench-report` writes this page. What is compared runs by turns on one machine, so that all meet the same weather; a
value is the median of n runs, beside it the lowest and the highest of them. Absolute times are of that machine; ratios travel better.
Others run with their own defaults, each in an environment of its own, in the releases that `tests/bench/` pins.
"""


def write(parts: Mapping[str, Part | None]) -> None:
    """One section for each part that was measured; the others are named."""
    measured = {name: part for name, part in parts.items() if part is not None}
    missing = [name for name, part in parts.items() if part is None]
    sections = [HEAD, *_lost(measured), *(_section(name, part) for name, part in measured.items())]
    if missing:
        sections.append(f"## Not measured\n\n{', '.join(missing)}; and, for want of a card, everything of `make bench-gpu`.\n")
    PAGE.write_text("\n".join(sections), encoding="utf-8")


def _section(name: str, part: Part) -> str:
    module = import_module(f"tests.bench.{name}")
    first = (module.__doc__ or "").strip().splitlines()[0]
    releases = ", ".join(f"{library} {release}" for library, release in part.releases.items())
    compared = dict(comparisons(part))
    rows = [f"| {what} | {' | '.join(one.told)} | {_mark(one)} |" for what, one in part.figures.items() if _what(what) not in compared]
    table = ["| figure | value | goal | n | of | |", "|---|---:|---:|---:|---:|---|", *rows, ""] if rows else []
    documented = [f"* {who}, by its documentation: {words}." for who, words in getattr(module, "TOLD", {}).items()]
    lines = [f"## {name.capitalize()}", "", first, "", f"{part.day}, {part.machine}, {lasted(part.seconds)}; {releases}.", "", *table]
    return "\n".join([*lines, *_beside(compared), *documented, *([""] if documented else [])])


def _what(name: str) -> str:
    return name.partition(" · ")[0]


def _beside(compared: Mapping[str, dict[str, Figure]]) -> Iterator[str]:
    """Tables of those who were compared, a column each, and their charts for who opens them."""
    tables: dict[tuple[str, ...], list[str]] = {}
    for what, figures in compared.items():
        cells = (f"{one.told[0]}<br>{_range(one)}" for one in figures.values())
        tables.setdefault(tuple(figures), []).append(f"| {what} | {' | '.join(cells)} |")
    for who, rows in tables.items():
        yield "\n".join([f"| | {' | '.join(who)} |", f"|---|{'---:|' * len(who)}", *rows, ""])
    if compared:
        yield "<details><summary>As charts</summary>\n"
        yield from (_chart(what, figures) for what, figures in compared.items())
        yield "</details>\n"


def _range(one: Figure) -> str:
    goal = f" (goal {one.told[1]}{', **missed**' if one.missed else ''})" if one.goal is not None else ""
    return f"n={one.n}" + (f", {one.told[3]}" if one.told[3] else "") + goal


def _mark(one: Figure) -> str:
    return "" if one.goal is None else "**missed**" if one.missed else "ok"


def comparisons(part: Part) -> Iterator[tuple[str, dict[str, Figure]]]:
    """Figures by who, for each thing in which several were measured."""
    found: dict[str, dict[str, Figure]] = {}
    for name, one in part.figures.items():
        what, _, who = name.partition(" · ")
        if who:
            found.setdefault(what, {})[who] = one
    return ((what, compared) for what, compared in found.items() if len(compared) > 1)


def _chart(what: str, compared: Mapping[str, Figure]) -> str:
    names = ", ".join(f'"{name}"' for name in compared)
    values = ", ".join(f"{one.value:g}" for one in compared.values())
    unit = next(iter(compared.values())).unit
    lines = ["xychart-beta horizontal", f'title "{what} ({unit})"', f"x-axis [{names}]", f"bar [{values}]"]
    return "\n    ".join(["```mermaid", *lines]) + "\n```\n"


def _lost(measured: Mapping[str, Part]) -> Iterator[str]:
    """What misses its goal, and where others are ahead."""
    lines = [
        f"* {name}, {what}: {one.told[0]}, goal {one.told[1]}.{_cause(name, what)}"
        for name, part in measured.items()
        for what, one in part.figures.items()
        if one.missed
    ]
    for name, part in measured.items():
        for what, compared in comparisons(part):
            mine = next((compared[who] for who in OURS if who in compared), None)
            if mine is not None and (ahead := _ahead(mine, compared)):
                told = ", ".join(f"{who} {one.told[0]}" for who, one in ahead.items())
                lines.append(f"* {name}, {what}: ours {mine.told[0]}, ahead of it {told}.")
    if lines:
        yield "## Where we lose\n\n" + "\n".join(lines) + "\n"


def _cause(name: str, what: str) -> str:
    """Why a goal is missed, where that was found out; on another machine it may be something else."""
    causes: Mapping[str, str] = getattr(import_module(f"tests.bench.{name}"), "CAUSES", {})
    return f" Looked into on two cores: {causes[what]}" if what in causes else ""


def _ahead(mine: Figure, compared: Mapping[str, Figure]) -> dict[str, Figure]:
    """Others that are better; what we are called by in other circumstances is nobody else."""
    if mine.better is None:
        return {}
    sign = 1 if mine.better == "higher" else -1
    return {who: one for who, one in compared.items() if sign * one.value > sign * mine.value and not who.startswith(OURS)}
