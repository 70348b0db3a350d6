"""Where people talk to the bot: what they do there, and what stands there; and our own rooms. Discord and Telegram: `chats.py`. Who they
are: `people.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from redis.asyncio import Redis

from bot.connectors.room import address
from bot.errors import StoreError
from bot.messages import Part, Person, Text
from bot.store.keys import Keys
from bot.store.places import BOT, Draft, Place, RoomMessage, part_of
from bot.store.rooms import MOST_MESSAGES, Rooms
from tests.data.plugins.relay.front import LONG

LOOK = 0.2
"""Seconds between two looks where nobody is told what is new."""

BROKEN = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
"""What calls itself a picture."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the bot as it stands there; `asked` is what it answers, where that can be seen."""

    id: str
    asked: str
    text: str
    busy: bool
    fault: bool


See = Callable[[Shown], None]


class Venue(Protocol):
    """A place. `conversation` is its name in the store, `long` how many characters the relay's long answers have there.

    `keyed`: a post that is sent twice is one. `strict`: what was said arrives in the order in which it was said, always.
    """

    name: str
    conversation: str
    long: int
    keyed: bool
    strict: bool
    mention: str
    """What comes back behind every answer, because everybody has to say it."""

    async def say(self, who: str, text: str, nonce: str) -> str:
        """Says something; its id. The same nonce says it once. Raises StoreError."""

    async def cancel(self, who: str, line: Shown) -> None:
        """Presses Cancel below a status line, if it is there still."""

    async def look(self, see: See, waiting: asyncio.Event) -> None:
        """Sees what is new, for ever; where nobody is told of it, as long as somebody is waiting."""

    async def shown(self) -> list[Shown]:
        """All that the bot says there, in order; at most so much as the place remembers."""

    async def first(self) -> int:
        """Before this id nothing is remembered; 0 for a place that forgets nothing."""

    async def known(self, id: str, store: Redis, keys: Keys) -> bool:
        """Whether the store has heard of what was said, and not forgotten it with its last moments."""

    def excused(self, id: str) -> bool:
        """Whether nobody has to answer this, because the platform has said so itself."""


@dataclass
class InRoom:
    """A room of our own, or somebody's conversation with the bot in one."""

    rooms: Rooms
    place: Place
    people: Mapping[str, Person]
    name: str = field(init=False)
    conversation: str = field(init=False)
    long = LONG["room"]
    keyed = True
    strict = True
    mention = ""

    def __post_init__(self) -> None:
        self.name, self.conversation = self.place.key, address(self.place).conversation

    async def say(self, who: str, text: str, nonce: str) -> str:
        parts: list[Part] = [Text(text)]
        if text.startswith("picture"):
            parts.append(part_of(await self.rooms.uploads.put(BROKEN, "cat.png")))
        return await self.rooms.say(self.place, Draft(self.people[who], tuple(parts)), nonce)

    async def cancel(self, who: str, line: Shown) -> None:
        found = await self.rooms.get(self.place, line.id)
        if found is not None and found.body.keys:
            await self.rooms.click(self.place, line.id, found.body.keys[0].id, self.people[who])

    async def look(self, see: See, waiting: asyncio.Event) -> None:
        while True:
            try:
                async with aclosing(self.rooms.watch(self.place)) as changes:
                    async for some in changes:
                        for change in some:
                            if isinstance(change, RoomMessage) and change.head.author.id == BOT.id:
                                see(_in_room(change))
            except StoreError:
                await asyncio.sleep(LOOK)

    async def shown(self) -> list[Shown]:
        return [_in_room(one) for one in await self.rooms.history(self.place, MOST_MESSAGES) if one.head.author.id == BOT.id]

    async def first(self) -> int:
        history = await self.rooms.history(self.place, MOST_MESSAGES)
        return int(history[0].id) if len(history) == MOST_MESSAGES else 0

    async def known(self, id: str, store: Redis, keys: Keys) -> bool:
        return await self.rooms.get(self.place, id) is not None

    def excused(self, id: str) -> bool:
        return False


def _in_room(message: RoomMessage) -> Shown:
    return Shown(message.id, message.head.reply_to, message.text, message.body.busy, message.body.fault)


WORDS = ("tell", "aside", "long", "memory", "stuck", "huge", "picture")
"""How answers begin that are none of the bot's own words."""


def told(text: str) -> bool:
    """Whether these are the bot's own words."""
    return not text.startswith(WORDS)
