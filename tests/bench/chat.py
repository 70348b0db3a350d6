"""How fast the starter model chats, through the whole bot and in our engine, beside transformers' own ways: all of them in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from tests.bench import served, whole
from tests.bench.figures import Figure
from tests.bench.ways import Run, Way, Ways, engine
from tests.house import House

CHATS = (1, 4, 16)
"""People who ask at the same moment."""

ROUNDS = 5
SECONDS = 150.0
"""After which no further round begins: a busy machine measures fewer of them."""

SLOW = {"transformers serve", "one by one"}
"""These take 16 people one after the other: that is measured once, what one and four wait in every round."""

FIRSTS = 5
LATE = 3
OTHERS = 8

BARE = ("one padded generate", "continuous batching")

Runs = dict[tuple[str, int], list[Run]]


def rounds(ways: Mapping[str, Way]) -> Runs:
    """Every way with every number of people, again and again, so that all meet the same weather."""
    found: Runs = {(name, count): [] for count in CHATS for name in ways}
    began = time.monotonic()
    for number in range(ROUNDS):
        for count in CHATS:
            for name, way in ways.items():
                if count < max(CHATS) or name not in SLOW or not number:
                    found[name, count].append(way(count))
        if time.monotonic() - began > SECONDS:
            break
    return found


def through(house: House) -> Way:
    """The whole bot."""

    def answered(count: int) -> Run:
        told = whole.answered(house, count)
        began = min(one.asked for one in told)
        return Run.of(count, max(one.last for one in told) - began, (one.first - one.asked for one in told))

    return answered


def ratios(runs: Runs, mine: str, count: int, *theirs: str) -> list[float]:
    """By how much ours is faster than the best of theirs, round by round."""
    others = zip(*(runs[name, count] for name in theirs), strict=True)
    return [run.rate / max(other.rate for other in some) for run, some in zip(runs[mine, count], others, strict=True)]


def times_one(runs: Runs, mine: str) -> list[float]:
    """By how much 16 at once are faster than one after the other."""
    return [run.rate / one.rate for run, one in zip(runs[mine, 16], runs["one by one", 1], strict=True)]


def goals(runs: Runs) -> dict[str, Figure]:
    figures = {}
    for mine in ("whole bot", "engine"):
        figures[f"{mine}: 1 / generate"] = Figure.of(ratios(runs, mine, 1, "one by one"), "×", 0.95, "higher")
        figures[f"{mine}: 16 / better bare engine"] = Figure.of(ratios(runs, mine, 16, *BARE), "×", 0.9, "higher")
        figures[f"{mine}: 16 / one by one"] = Figure.of(times_one(runs, mine), "×", 6.0, "higher")
    return figures


def facts(runs: Runs) -> dict[str, Figure]:
    """What was measured, without a goal."""
    figures = {}
    for (name, count), some in runs.items():
        figures[f"{count} · {name}"] = Figure.of([run.rate for run in some], "tokens/s")
        if all(run.first == run.first for run in some):  # not a number where it cannot be seen
            figures[f"{count} · {name}, first words"] = Figure.of([1000 * run.first for run in some], "ms")
    return figures


def first_tokens(ways: Ways, house: House) -> dict[str, Figure]:
    """By how much later than the bare engine's; the first of a kind is slower and not counted."""
    bare = [ways.first_token() for _ in range(FIRSTS + 1)][1:]
    chat, mine = through(house), [ways.first_token()[0]]
    late = []
    for _ in range(FIRSTS):
        mine.append(ways.first_token()[0])
        late.append(1000 * (chat(1).first - mine[-1]))
    return {
        "engine: first token, later than generate's": Figure.of([1000 * (ours - theirs) for ours, theirs in bare], "ms", 15.0, "lower"),
        "whole bot: first words, later than the engine's": Figure.of(late, "ms", 15.0, "lower"),
    }


def late(name: str, wait: Callable[[], float]) -> dict[str, Figure]:
    return {f"{name}: first words beside {OTHERS} answers": Figure.of([wait() for _ in range(LATE)], "s", 1.0, "lower")}


def measure() -> dict[str, Figure]:
    ways = Ways(engine())
    with whole.bot() as house, served.serving() as server:
        contenders: dict[str, Way] = {
            "whole bot": through(house),
            "engine": ways.ours,
            "one padded generate": ways.padded,
            "continuous batching": ways.continuous,
            "one by one": ways.one_by_one,
            "transformers serve": server.answered,
        }
        for way in contenders.values():
            way(1)  # loads, and warms up
        runs = rounds(contenders)
        dtype = str(ways.engine.model.dtype).removeprefix("torch.")
        return {
            **goals(runs),
            **first_tokens(ways, house),
            **late("engine", lambda: ways.newcomer(OTHERS)),
            **late("whole bot", lambda: whole.latecomer(house, OTHERS)),
            **{f"{name} ({dtype})": figure for name, figure in facts(runs).items()},
        }
