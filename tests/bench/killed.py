"""A worker is killed as it begins a job, with more in hand: when does the next one run them, with each queue's own defaults.

Runs in the environment of the queue that takes part, so it needs nothing but the standard library. Comparing: `recovery.py`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from importlib import import_module

from tests.bench.race import CONCURRENCY, Entrant

JOBS = 2 * CONCURRENCY
"""Those that a worker has in hand, and as many behind them."""


def dying(number: int) -> None:
    """Nothing of the process sees it come, as where the machine has no memory left."""
    say(f"held {number}")
    os.kill(os.getpid(), signal.SIGKILL)


def ran(number: int) -> None:
    say(f"ran {number}")


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  read by `recovery.py`


async def take_part(entrant: Entrant, url: str, part: str) -> None:
    """`asks` for the jobs; `first` dies of the one that it begins first; `next` works once it is given a line."""
    await entrant.connect(url, dying if part == "first" else ran)
    if part == "asks":
        for number in range(JOBS):
            await entrant.enqueue(number)
    say("ready")
    if part == "next":
        await asyncio.to_thread(sys.stdin.readline)
    if part != "asks":
        await entrant.work()
    await asyncio.Event().wait()


if __name__ == "__main__":
    home, name, url, part = sys.argv[1:]
    asyncio.run(take_part(getattr(import_module(home), name)(), url, part))
