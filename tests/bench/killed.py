"""A worker holds a job when it is killed, and has more in hand: when does the next one run them, with each queue's own defaults.

Runs in the environment of the queue that takes part, so it needs nothing but the standard library. Comparing: `recovery.py`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module

from tests.bench.race import CONCURRENCY, Entrant

JOBS = 2 * CONCURRENCY
"""Those that a worker has in hand, and as many behind them."""


def holding(number: int) -> None:
    """Says that the job runs, and never gives the loop back: whoever holds it is killed."""
    say(f"holds {number}")
    while True:
        time.sleep(3600)


def ran(number: int) -> None:
    say(f"ran {number}")


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  read by `recovery.py`


async def take_part(entrant: Entrant, url: str, part: str) -> None:
    """`asks` for the jobs and ends; `first` holds the one that it runs first; `next` works. They do so until they are ended."""
    await entrant.connect(url, holding if part == "first" else ran)
    if part == "asks":
        for number in range(JOBS):
            await entrant.enqueue(number)
    else:
        await entrant.work()
    say("ready")
    await asyncio.Event().wait()


if __name__ == "__main__":
    home, name, url, part = sys.argv[1:]
    asyncio.run(take_part(getattr(import_module(home), name)(), url, part))
