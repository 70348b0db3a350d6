"""How fast people are answered through the whole bot, as an operator starts it: rooms, router, store, worker. The engine: `chat.py`."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

from bot.cli.meeting import Meeting, meeting
from bot.config import load
from bot.messages import Text
from bot.store.places import Draft, Place, newcomer
from tests.house import House

TOKENS = 48

LONG = "Tell me a long story about a cat and a dog who live on a farm near the sea, question {}."
"""Answers to it are cut at their longest, so that all have the same number of tokens."""

PATIENCE = 120.0
"""Seconds that one round may take."""


@contextmanager
def bot() -> Iterator[House]:
    """Hobnob with the starter model, in a folder of its own."""
    here = load().models_dir
    chat = f"[plugins.chat]\n[plugins.chat.defaults]\nmax_tokens = {TOKENS}\ntemperature = 0.0\n"
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), f'[models]\ndir = "{here}"\n', plugins=chat)
        with house.running():
            yield house


def answered(house: House, people: int) -> list[float]:
    """For each of so many people who ask at the same moment: seconds until their last word."""
    return asyncio.run(asyncio.wait_for(_all(house, people), PATIENCE))


async def _all(house: House, people: int) -> list[float]:
    async with meeting(load(house.config)) as met:
        return await asyncio.gather(*(_one(met, number) for number in range(people)))


async def _one(met: Meeting, number: int) -> float:
    author = newcomer(f"Asker {number}")
    place, draft = Place("bench", author.id), Draft(author, (Text(LONG.format(number)),))
    began, last = time.perf_counter(), 0.0
    async with aclosing(met.exchange(place, draft)) as said:
        async for messages in said:
            if messages:
                last = time.perf_counter() - began
    return last
