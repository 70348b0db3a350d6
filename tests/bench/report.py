"""Makes docs/benchmarks.md of what was measured last on this machine: `make bench-report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from tests.bench.figures import Figure, Part

PAGE = Path("docs/benchmarks.md")

OURS = ("ours", "whole bot", "Hobnob")
"""What we are called in comparisons."""

HEAD = """# Measured

`make bench` measures all of this in about twenty minutes on two cores, `make bench-quick` a little of everything in two, `make bench-long`
what takes hours, `make bench-gpu` models of real size where there is CUDA. `ONLY=chat` measures one part, `ARGS=--json` prints for
programs, and `make bench-report` writes this page. What is compared runs by turns on one machine, so that all meet the same weather; a
value is the median of n runs, the spread their range as a part of it. Absolute times are of that machine; ratios travel better. Others run
with their own defaults, each in an environment of its own, in the releases that `tests/bench/` pins.
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
    first = (import_module(f"tests.bench.{name}").__doc__ or "").strip().splitlines()[0]
    releases = ", ".join(f"{library} {release}" for library, release in part.releases.items())
    rows = [f"| {what} | {' | '.join(one.told)} | {_mark(one)} |" for what, one in part.figures.items()]
    charts = [_chart(what, compared) for what, compared in comparisons(part)]
    table = ["| figure | value | goal | n | spread | |", "|---|---:|---:|---:|---:|---|", *rows]
    return "\n".join([f"## {name.capitalize()}", "", first, "", f"{part.day}, {part.machine}; {releases}.", "", *charts, *table, ""])


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
        f"* {name}, {what}: {one.told[0]}, goal {one.told[1]}."
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


def _ahead(mine: Figure, compared: Mapping[str, Figure]) -> dict[str, Figure]:
    sign = 1 if mine.better == "higher" else -1
    return {who: one for who, one in compared.items() if sign * one.value > sign * mine.value}
