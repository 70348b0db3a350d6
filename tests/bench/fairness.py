"""The queue's policy in the simulation, beside those of others: how long light servers wait while one floods."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure
from tests.bench.policies import Asked, Fifo, ResidentFirst, RoundRobin, Scheduler
from tests.bench.simulation import Scene, Seen, arrivals, jain, run
from tests.reference import Reference

SEEDS = range(5)

FOUR = frozenset({"llama", "gemma", "flux", "whisper"})
ONE = (FOUR,)
MANY = (FOUR, frozenset({"llama", "gemma"}), frozenset({"flux", "whisper"}), frozenset({"llama", "whisper"}))

SCENES = {
    "1 device": {swap: (Scene(20, 200, 0.55, swap, ONE), goal) for swap, goal in {1.0: 20.0, 3.0: 20.0, 8.0: 40.0}.items()},
    "4 devices": {swap: (Scene(500, 800, 0.55, swap, MANY), goal) for swap, goal in {1.0: 10.0, 3.0: 15.0, 8.0: 30.0}.items()},
}

POLICIES: dict[str, Callable[[], Scheduler]] = {
    "in order of arrival": Fifo,
    "loaded model first": ResidentFirst,
    "round robin, loaded first": RoundRobin,
    "ours": Reference,
}


def measure() -> dict[str, Figure]:
    """The light servers' 95th percentile, swaps an hour as a part of those in order of arrival, estimates, idling, and evenness.

    Its clock is the simulation's, so runs go beside one another.
    """
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return _measure(pool)


def _measure(pool: Executor) -> dict[str, Figure]:
    told, even = pool.map(foretold, SEEDS), pool.map(evenness, SEEDS)
    scenes = {
        (title, swap): (goal, {name: pool.map(simulated, repeat(scene), repeat(name), SEEDS) for name in POLICIES})
        for title, some in SCENES.items()
        for swap, (scene, goal) in some.items()
    }
    figures: dict[str, Figure] = {}
    idle: list[float] = []
    for (title, swap), (goal, begun) in scenes.items():
        runs = {name: list(seen) for name, seen in begun.items()}
        show(f"{title}, {SCENES[title][swap][0].tenants} servers, {swap:g} s to load a model", runs)
        waits = [seen.percentile(0.95) for seen in runs["ours"]]
        figures[f"{title}, load {swap:g} s: light p95"] = Figure.of(waits, "s", goal, "lower")
        if swap == 8.0:
            parts = [
                ours.swaps_an_hour / theirs.swaps_an_hour for ours, theirs in zip(runs["ours"], runs["in order of arrival"], strict=True)
            ]
            figures[f"{title}, load 8 s: swaps an hour"] = Figure.of(parts, "of Fifo's", 0.7, "lower")
        idle += [seen.idle_beside_work for seen in runs["ours"]]
    estimates = list(told)
    figures["estimates within a factor 2"] = Figure.of([honest(seen) for seen in estimates], "of them", 0.8, "higher")
    figures["estimates told at once"] = Figure.of([seen.at_once / seen.looked for seen in estimates], "of them")
    figures["idle beside work"] = Figure.of(idle, "s", 0.0, "lower")
    figures["evenness"] = Figure.of(list(even), "Jain", 0.95, "higher")
    return figures


def simulated(scene: Scene, policy: str, seed: int) -> Seen:
    """One run."""
    return run(scene, POLICIES[policy](), arrivals(scene, seed))


def foretold(seed: int) -> Seen:
    """A run in which every eleventh who comes is told how long it takes."""
    scene, _ = SCENES["1 device"][3.0]
    return run(scene, Reference(), arrivals(scene, seed), foretell=11)


def honest(seen: Seen) -> float:
    """The part of the first estimates that came true within a factor of two, of waits of at least 5 s, foretold or real."""
    long = [(told, true) for told, true in seen.foretold if max(told, true) >= 5.0]
    return sum(true / 2 <= told <= true * 2 for told, true in long) / len(long)


def evenness(seed: int) -> float:
    """Jain's index of the seconds of eight servers whose jobs take 1 to 8 s each, after ten rounds."""
    scene = Scene(8, 0, 0.5, 3.0, ONE)
    jobs = [Asked(model, f"s{at}", f"s{at}", 0.0, "", 1.0 + at) for at in range(8) for model in sorted(FOUR) for _ in range(40)]
    random.Random(seed).shuffle(jobs)
    return jain(list(run(scene, Reference(), jobs, until=10 * 8 * 8.0).seconds.values()))


def show(title: str, runs: dict[str, list[Seen]]) -> None:
    """One row for each policy."""
    table = Table(title=title, title_justify="left", box=None)
    for column in ("policy", "light p50", "light p95", "longest", "swaps an hour"):
        table.add_column(column, justify="left" if column == "policy" else "right")
    for name, seen in runs.items():
        cells = [
            sum(one.percentile(0.5) for one in seen),
            sum(one.percentile(0.95) for one in seen),
            sum(max(one.waits) for one in seen),
            sum(one.swaps_an_hour for one in seen),
        ]
        table.add_row(name, *(f"{cell / len(seen):,.1f}" for cell in cells))
    Console().print(table)
