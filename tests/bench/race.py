"""One race for every queue: a process, a loop that enqueues and works, jobs that do nothing. Who takes part: `entrants.py`.

Runs in the environment of the queue that takes part, so it needs nothing but the standard library. Comparing them: `rivals.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Protocol

CONCURRENCY = 10
WARM = 200
JOBS = 1_500
PICKUPS = 200
"""How many are measured where they are: they take longest with a queue that polls."""

PAUSE = 0.004
"""Seconds between two pickups, in which the worker becomes idle."""

PATIENCE = 120.0
"""Seconds after which a race counts as lost."""

Ran = Callable[[int], None]
"""A worker calls it with the number of the job that runs."""


class Entrant(Protocol):
    """A queue with one worker, both in this loop."""

    async def connect(self, url: str, ran: Ran) -> None:
        """Jobs can be asked for then."""

    async def work(self) -> None:
        """Begins with them: `CONCURRENCY` at once."""

    async def enqueue(self, number: int) -> None:
        """Returns when the queue has the job."""


class Finish:
    """When which job ran, and when all of so many have."""

    def __init__(self) -> None:
        self.wanted = 0
        self.all = asyncio.Event()
        self.at: dict[int, float] = {}

    def ran(self, number: int) -> None:
        self.at[number] = time.perf_counter()
        if len(self.at) >= self.wanted:
            self.all.set()

    async def after(self, entrant: Entrant, count: int) -> float:
        """Seconds from the first call to the last job, with as many callers as the worker runs jobs at once, and none without a job."""
        self.wanted = count
        self.at.clear()
        self.all.clear()
        numbers = iter(range(count))

        async def caller() -> None:
            for number in numbers:
                await entrant.enqueue(number)

        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(min(CONCURRENCY, count))))
        await asyncio.wait_for(self.all.wait(), PATIENCE)
        return max(self.at.values()) - began


async def race(entrant: Entrant, url: str, pickups: int) -> dict[str, float]:
    """Jobs per second from end to end; if there are pickups, the milliseconds from a call to the job's first line on an idle worker."""
    finish = Finish()
    await entrant.connect(url, finish.ran)
    await entrant.work()
    await finish.after(entrant, WARM)
    waits = []
    for _ in range(pickups):
        await asyncio.sleep(PAUSE)
        waits.append(1000 * await finish.after(entrant, 1))
    rate = {"jobs/s": JOBS / await finish.after(entrant, JOBS)}
    if not waits:
        return rate
    cuts = statistics.quantiles(waits, n=100)
    return rate | {"p50": cuts[49], "p99": cuts[98]}


def main(home: str, name: str, url: str, pickups: str) -> None:
    entrant: Entrant = getattr(import_module(home), name)()
    asyncio.run(_report(entrant, url, int(pickups)))


async def _report(entrant: Entrant, url: str, pickups: int) -> None:
    print(json.dumps(await race(entrant, url, pickups)), flush=True)  # noqa: T201  read by `rivals.py`
    os._exit(0)  # how workers end is no part of the race


if __name__ == "__main__":
    main(*sys.argv[1:])
