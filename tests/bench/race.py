"""One race for every queue: a process, a loop that enqueues and works, jobs that do nothing. Who takes part: `entrants.py`.

Runs in the environment of the queue that takes part, so it needs nothing but the standard library. Comparing them: `rivals.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Protocol

CONCURRENCY = 10
WARM = 200
JOBS, SECONDS = 1_500, 1.0
"""How many are measured: as many as are asked for in this time, where it is fewer."""

PICKUPS = 200
"""How many are measured where they are: they take longest with a queue that polls."""

PAUSE = 0.004
"""Seconds between two pickups, in which the worker becomes idle."""

PATIENCE = 120.0
"""Seconds after which a race counts as lost, once all was asked for."""

MOST_SECONDS = 300
"""For all that one line asks for; the process ends then, whatever it waits for."""

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

    async def after(self, entrant: Entrant, count: int, seconds: float = PATIENCE) -> tuple[int, float]:
        """Jobs, and seconds from the first call to the last of them, with as many callers as the worker runs jobs at once, and none
        without a job. Nobody calls any more after so many `seconds`.
        """
        self.wanted = count
        self.at.clear()
        self.all.clear()
        began = time.perf_counter()
        numbers, asked = iter(range(count)), 0

        async def caller() -> None:
            nonlocal asked
            while time.perf_counter() < began + seconds and (number := next(numbers, None)) is not None:
                await entrant.enqueue(number)
                asked += 1

        await asyncio.gather(*(caller() for _ in range(min(CONCURRENCY, count))))
        self.wanted = asked
        if len(self.at) < asked:
            await asyncio.wait_for(self.all.wait(), PATIENCE)
        return asked, max(self.at.values()) - began


async def race(entrant: Entrant, finish: Finish, pickups: int) -> dict[str, float]:
    """Jobs per second from end to end; if there are pickups, the milliseconds from a call to the job's first line on an idle worker."""
    await finish.after(entrant, WARM)
    waits = []
    for _ in range(pickups):
        await asyncio.sleep(PAUSE)
        waits.append(1000 * (await finish.after(entrant, 1))[1])
    jobs, took = await finish.after(entrant, JOBS, SECONDS)
    rate = {"jobs/s": jobs / took}
    if not waits:
        return rate
    cuts = statistics.quantiles(waits, n=100)
    return rate | {"p50": cuts[49], "p99": cuts[98]}


async def races(entrant: Entrant, url: str) -> None:
    """One for each line that says how many pickups there are."""
    finish = Finish()
    signal.alarm(MOST_SECONDS)
    await entrant.connect(url, finish.ran)
    await entrant.work()
    while pickups := sys.stdin.readline():  # it comes at once: nobody waits for the loop meanwhile
        print(json.dumps(await race(entrant, finish, int(pickups))), flush=True)  # noqa: T201  read by `rivals.py`
        signal.alarm(MOST_SECONDS)
    os._exit(0)  # how workers end is no part of the race


if __name__ == "__main__":
    home, name, url = sys.argv[1:]
    asyncio.run(races(getattr(import_module(home), name)(), url))
