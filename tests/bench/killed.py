"""A worker holds a job when it is killed: whether and when the next one runs it, with each queue's own defaults. Comparing: `recovery.py`.

Runs in the environment of the queue that takes part, so it needs nothing but the standard library.
"""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module

from tests.bench.race import Entrant


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
    """As `first`, asks for a job and holds it; as `next`, works until it is ended."""
    await entrant.start(url, holding if part == "first" else ran)
    if part == "first":
        await entrant.enqueue(1)
    say("ready")
    await asyncio.Event().wait()


if __name__ == "__main__":
    home, name, url, part = sys.argv[1:]
    asyncio.run(take_part(getattr(import_module(home), name)(), url, part))
