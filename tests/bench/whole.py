"""How fast people are answered through the whole bot, as an operator starts it: rooms, router, store, worker. The engine: `ways.py`."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import uvloop

from bot.config import load
from bot.messages import Text
from bot.store.keys import Keys
from bot.store.places import Draft, Place, newcomer
from bot.store.rooms import Rooms
from tests.bench.onlooker import Onlooker
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
    async with _visit(house) as visit:
        asked = await asyncio.gather(*(visit.ask(asker) for asker in people))
        await visit.onlooker.settled({one.place: one.id for one in asked})
        return [visit.told(one) for one in asked]


def latecomer(house: House, people: list[Asker]) -> float:
    """Seconds until the last of them sees the first words, who asks while the answers to the others are being written."""
    return uvloop.run(asyncio.wait_for(_late(house, *people), PATIENCE))


async def _late(house: House, *people: Asker) -> float:
    async with _visit(house) as visit:
        *others, late = people
        asked = await asyncio.gather(*(visit.ask(asker) for asker in others))
        while not all(map(visit.grows, asked)):
            await visit.onlooker.more(PATIENCE)
        asked.append(await visit.ask(late))
        await visit.onlooker.settled({one.place: one.id for one in asked})
        told = visit.told(asked[-1])
        return told.first - told.asked


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that was asked: where, the message's id, and when."""

    place: Place
    id: str
    at: float


class Visit:
    """People in rooms: what comes of what they ask is seen in the store, once it stands there."""

    def __init__(self, rooms: Rooms, onlooker: Onlooker) -> None:
        self.onlooker = onlooker
        self._rooms = rooms

    async def ask(self, asker: Asker) -> Asked:
        author = newcomer(asker.name)
        place, began = Place("bench", author.id), time.perf_counter()
        return Asked(place, await self._rooms.say(place, Draft(author, (Text(asker.question),))), began)

    def told(self, asked: Asked) -> Told:
        seen = self.onlooker.texts(asked.place, asked.id)
        return Told(asked.at, _began(seen), seen[-1][0])

    def grows(self, asked: Asked) -> bool:
        """Whether more words were seen behind the first ones."""
        said = [text for _, text in self.onlooker.texts(asked.place, asked.id)]
        return any(len(before) > 1 and now != before and now.startswith(before) for before, now in pairwise(said))


@asynccontextmanager
async def _visit(house: House) -> AsyncIterator[Visit]:
    async with house.store() as redis:
        onlooker = Onlooker(redis)
        async with onlooker.looking():
            await redis.ping()  # who asks need not wait for a connection
            yield Visit(Rooms(redis, Keys(), load(house.config).files_dir), onlooker)


def _began(seen: list[tuple[float, str]]) -> float:
    """The first time that the message had words with which the answer begins; before that it says how waiting goes."""
    answer = seen[-1][1]
    return next(at for at, text in seen if len(text) > 1 and answer.startswith(text))
