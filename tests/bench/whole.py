"""How fast people are answered through the whole bot, as an operator starts it: rooms, router, store, worker. The engine: `ways.py`."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bot.cli.meeting import Meeting, meeting
from bot.config import load
from bot.messages import Text
from bot.store.places import Draft, Place, newcomer
from tests.house import House

TOKENS = 48

PATIENCE = 120.0
"""Seconds that one round may take."""


VERY = 8
"""Lengths of questions."""


def question(number: int) -> str:
    """Answers to it are cut at their longest, so that all have the same number of tokens; no two are the same, nor of one length."""
    story = f"a {'very ' * (number % VERY)}long story about a cat and a dog who live on a farm near the sea"
    return f"Story number {number}: tell me {story}."


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks."""

    name: str
    question: str


class Crowd:
    """People who ask: nobody asks what was asked before, so that of a prompt only the persona may have been read."""

    def __init__(self) -> None:
        self._next = 1250 * VERY

    def people(self, most: int) -> list[Asker]:
        """So many, whose questions are of the same lengths each time."""
        first, self._next = self._next, self._next + -(-most // VERY) * VERY
        return [Asker(f"Asker {number}", question(number)) for number in range(first, first + most)]


@dataclass(frozen=True, slots=True)
class Told:
    """When somebody had asked, saw the first words of the answer, and the last: readings of one clock, in seconds."""

    asked: float
    first: float
    last: float


@contextmanager
def bot() -> Iterator[House]:
    """Hobnob with the starter model, in a folder of its own."""
    here = load().models_dir
    chat = f"[plugins.chat]\n[plugins.chat.defaults]\nmax_tokens = {TOKENS}\ntemperature = 0.0\n"
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), f'[models]\ndir = "{here}"\n', plugins=chat)
        with house.running():
            yield house


def answered(house: House, people: list[Asker]) -> list[Told]:
    """They ask at the same moment."""
    return uvloop.run(asyncio.wait_for(_all(house, people), PATIENCE))


async def _all(house: House, people: list[Asker]) -> list[Told]:
    async with meeting(load(house.config)) as met:
        return await asyncio.gather(*(_one(met, asker) for asker in people))


def latecomer(house: House, people: list[Asker]) -> float:
    """Seconds until the last of them sees the first words, who asks while the answers to the others are being written."""
    return uvloop.run(asyncio.wait_for(_late(house, *people), PATIENCE))


async def _late(house: House, *people: Asker) -> float:
    async with meeting(load(house.config)) as met:
        *others, late = people
        writing = [asyncio.Event() for _ in others]
        crowd = [asyncio.create_task(_one(met, asker, event)) for asker, event in zip(others, writing, strict=True)]
        await asyncio.gather(*(event.wait() for event in writing))
        told = await _one(met, late)
        await asyncio.gather(*crowd)
    return told.first - told.asked


async def _one(met: Meeting, asker: Asker, writing: asyncio.Event | None = None) -> Told:
    """`writing` is set once the answer grows."""
    author = newcomer(asker.name)
    place, draft = Place("bench", author.id), Draft(author, (Text(asker.question),))
    asked, seen = time.perf_counter(), [(0.0, "")]
    async with aclosing(met.exchange(place, draft)) as said:
        async for messages in said:
            if messages:
                before, now = seen[-1][1], messages[0].text
                seen.append((time.perf_counter(), now))
                if writing and len(before) > 1 and now != before and now.startswith(before):
                    writing.set()
    return Told(asked, _began(seen), seen[-1][0])


def _began(seen: list[tuple[float, str]]) -> float:
    """The first time that the message had words with which the answer begins; before that it says how waiting goes."""
    answer = seen[-1][1]
    return next(at for at, text in seen if len(text) > 1 and answer.startswith(text))
