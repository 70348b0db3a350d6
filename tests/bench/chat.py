"""How fast the starter model chats, through the whole bot and in our engine, beside transformers' own ways: all of them in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from bot.connectors.room import LIMITS
from tests.bench import served, whole
from tests.bench.figures import Figure
from tests.bench.ways import Run, Way, Ways, engine
from tests.bench.whole import Crowd
from tests.house import House

CHATS = (1, 4, 16, 64)
"""People who ask at the same moment."""

ROUNDS = 5
SECONDS = 150.0
"""After which no further round begins: a busy machine measures fewer of them."""

LLAMA = "llama.cpp, 8 bits"

EACH = {"one by one": (1,), "transformers serve": (), "continuous batching": (16,), LLAMA: (16,)}
"""With how many people each way is measured in rounds; with 4 and 16 where nothing is said, and with one person `alone`."""

SELDOM = 4
"""With so many people it is measured in every other round: nothing is asked about them."""

ONCE = {"one by one": (), "transformers serve": (4, 16), "continuous batching": (1, 4), LLAMA: (4, 64)}
"""With how many it is measured once, because that takes long; with 64 where nothing is said."""

REST = 0.5
"""Seconds before each way: threads of the one before still spin, and its answers are still written down, which costs others than itself."""

ALONE = 10
ALONE_WAYS = ("whole bot", "engine", "one by one")
BESIDE = ("one padded generate", "transformers serve", LLAMA)
"""Those that one person asks in every third turn, to be known."""

FIRSTS = 5
LATE = 3
OTHERS = 8

BARE = ("one padded generate", "continuous batching")

EDIT = LIMITS.edit_interval

LOCKSTEP = (
    "both compute, in step, and what anything else takes of one, both wait for. Router, store, the worker's loop and who looks on take "
    "{seconds} s of a processor in {whole} s of {people}."
)

CAUSES = {
    "whole bot: 1 / generate": "both compute, in step, and what anything else takes of one, both wait for: of one answer the router 22 "
    "ms, the store 14, the worker's loop 7, and who looks on 11. Two runs of one hour differed by as much (docs/"
    "decisions.md).",
    "whole bot: 16 / better bare engine": LOCKSTEP.format(seconds=0.6, whole=5.3, people="16 answers")
    + " Where one of them is claimed before the others, its prompt is read alone, and it goes on between two strides of theirs.",
    "whole bot: last words of 16, less an edit / bare engine's": "as above.",
    "whole bot: 16 / one by one": "as above, and as for the engine.",
    "engine: 16 / one by one": "the model's products alone are 6.1 to 6.9 times as fast with 16 rows as with one, in float32 and without "
    "instructions for matrices, where bfloat16 is slower.",
    "whole bot: first words, later than the engine's": "a message, its ticket, a job and a post are written and read by four processes on "
    "the two cores that compute.",
}
"""Why goals are missed, as docs/decisions.md has it measured: without instructions for matrices where nothing else is said."""

Runs = dict[tuple[str, int], list[Run]]


def rounds(ways: Mapping[str, Way], *, quick: bool) -> Runs:
    """Every way with several people, again and again, so that all meet the same weather; then what is measured once."""
    found: Runs = {(name, count): [] for name in ways for count in EACH.get(name, CHATS[2:3] if quick else CHATS[1:-1])}
    began = time.monotonic()
    for turn in range(1 if quick else ROUNDS):
        for name, count in sorted(found, key=lambda run: run[1]):
            if count != SELDOM or turn % 2 == 0:
                found[name, count].append(rested(ways[name], count))
        if time.monotonic() - began > SECONDS:
            break
    once = [(name, count) for name in ways for count in ONCE.get(name, CHATS[-1:]) if not quick]
    return found | {(name, count): [rested(ways[name], count)] for name, count in once}


def rested(way: Way, count: int) -> Run:
    time.sleep(REST)
    return way(count)


def alone(ways: Mapping[str, Way], most: int) -> Runs:
    """One person at a time, more often than among the others: these differ by a few in a hundred, and a machine's moods by as much."""
    beside = [name for name in BESIDE if name in ways]
    found: Runs = {(name, 1): [] for name in (*ALONE_WAYS, *beside)}
    for turn in range(most):
        for name in (*(beside if turn % 3 == 0 else ()), *ALONE_WAYS[:: 1 if turn % 2 else -1]):  # nobody always comes after the same
            found[name, 1].append(rested(ways[name], 1))
    return found


def through(house: House, crowd: Crowd) -> Way:
    """The whole bot."""

    def answered(count: int) -> Run:
        told = whole.answered(house, crowd.people(count))
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


def lasts(runs: Runs, mine: str, count: int) -> list[float]:
    """How long until all words of all are there, but for the wait until a message may be edited again, against the better bare engine."""
    others = zip(*(runs[name, count] for name in BARE), strict=True)
    return [(run.last - EDIT) / min(other.last for other in some) for run, some in zip(runs[mine, count], others, strict=True)]


def goals(runs: Runs, single: Runs) -> dict[str, Figure]:
    """`single` are those of one person alone."""
    figures = {}
    for mine in ("whole bot", "engine"):
        figures[f"{mine}: 1 / generate"] = Figure.of(ratios(single, mine, 1, "one by one"), "×", 0.95, "higher")
        figures[f"{mine}: 16 / better bare engine"] = Figure.of(ratios(runs, mine, 16, *BARE), "×", 0.9, "higher")
        figures[f"{mine}: 16 / one by one"] = Figure.of(times_one(runs, mine), "×", 6.0, "higher")
        if (mine, 64) in runs:
            figures[f"{mine}: 64 / one padded generate"] = Figure.of(ratios(runs, mine, 64, BARE[0]), "×")
    figures["whole bot: last words of 16, less an edit / bare engine's"] = Figure.of(lasts(runs, "whole bot", 16), "×", 1.05, "lower")
    return figures


def facts(runs: Runs, dtype: str) -> dict[str, Figure]:
    """What was measured, without a goal."""
    figures = {}
    for (name, count), some in runs.items():
        who = f"{count} at once, {dtype} · {name}"
        figures[f"tokens a second of {who}"] = Figure.of([run.rate for run in some], "tokens/s", better="higher")
        figures[f"last words of {who}"] = Figure.of([run.last for run in some], "s", better="lower")
        if all(run.first == run.first for run in some):  # not a number where it cannot be seen
            figures[f"first words of {who}"] = Figure.of([1000 * run.first for run in some], "ms", better="lower")
    return figures


def first_tokens(ways: Ways, whole_bot: Way, most: int) -> dict[str, Figure]:
    """By how much later than the bare engine's; the first of a kind is slower and not counted."""
    bare = [ways.first_token() for _ in range(most + 1)][1:]
    mine, late = [ways.first_token()[0]], []
    for _ in range(most):
        mine.append(ways.first_token()[0])
        late.append(1000 * (rested(whole_bot, 1).first - mine[-1]))
    return {
        "engine: first token, later than generate's": Figure.of([1000 * (ours - theirs) for ours, theirs in bare], "ms", 15.0, "lower"),
        "whole bot: first words, later than the engine's": Figure.of(late, "ms", 15.0, "lower"),
    }


def late(name: str, wait: Callable[[], float], most: int) -> dict[str, Figure]:
    return {f"{name}: first words beside {OTHERS} answers": Figure.of([wait() for _ in range(most)], "s", 1.0, "lower")}


def measure(*, quick: bool = False) -> dict[str, Figure]:
    """`quick` asks for one round of up to 16 people, without the servers of others, which take long to start."""
    crowd = Crowd()
    with ExitStack() as running:
        servers = {} if quick else {"transformers serve": running.enter_context(served.transformers(crowd))}
        ways = Ways(engine(), crowd)
        llama = None if quick else running.enter_context(served.llama_cpp(crowd, ways.engine))
        servers |= {LLAMA: llama} if llama else {}
        house = running.enter_context(whole.bot())
        contenders: dict[str, Way] = {
            "whole bot": through(house, crowd),
            "engine": ways.ours,
            "one padded generate": ways.padded,
            "continuous batching": ways.continuous,
            "one by one": ways.one_by_one,
        }
        for name, server in servers.items():
            server.ready()
            contenders[name] = server.answered
        for way in contenders.values():
            way(1)  # loads, and warms up
        runs = rounds(contenders, quick=quick)
        single = alone(contenders, 3 if quick else ALONE)
        dtype = str(ways.engine.model.dtype).removeprefix("torch.")
        return {
            **goals(runs, single),
            **first_tokens(ways, contenders["whole bot"], 2 if quick else FIRSTS),
            **late("engine", lambda: ways.newcomer(OTHERS), 1 if quick else LATE),
            **late("whole bot", lambda: whole.latecomer(house, crowd.people(OTHERS + 1)), 1 if quick else LATE),
            **facts({**single, **runs, **single}, dtype),  # first for their order; what was measured `alone` is what holds of one person
        }
