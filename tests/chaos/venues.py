"""Where people talk to the bot, on each platform: what they do there, and what stands there. Who they are: `people.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.connectors.room import address
from bot.connectors.telegram.styled import JOINER
from bot.errors import StoreError
from bot.messages import Address, Part, Person, Text
from bot.store.places import BOT, Draft, Place, RoomMessage, part_of
from bot.store.rooms import MOST_MESSAGES, Rooms
from tests.data.plugins.relay.front import LONG
from tests.wire.discord_interactions import Interaction
from tests.wire.discord_payloads import Json
from tests.wire.discord_server import Discord
from tests.wire.telegram_chats import Chat
from tests.wire.telegram_server import Telegram

LOOK = 0.2
"""Seconds between two looks at a platform that tells nobody what is new."""

NEWEST = 60
"""Messages at which these look."""

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

    async def look(self, see: See) -> None:
        """Sees what is new, for ever."""

    async def shown(self) -> list[Shown]:
        """All that the bot says there, in order; at most so much as the place remembers."""

    async def first(self) -> int:
        """Before this id nothing is remembered; 0 for a place that forgets nothing."""

    async def known(self, id: str) -> bool:
        """Whether what was said is there still."""

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

    async def look(self, see: See) -> None:
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

    async def known(self, id: str) -> bool:
        return await self.rooms.get(self.place, id) is not None

    def excused(self, id: str) -> bool:
        return False


def _in_room(message: RoomMessage) -> Shown:
    return Shown(message.id, message.head.reply_to, message.text, message.body.busy, message.body.fault)


class Watched:
    """What venues of other platforms have in common: nobody tells what is new there, and nothing is forgotten."""

    async def look(self, see: See) -> None:
        while True:
            for one in (await self.shown())[-NEWEST:]:
                see(one)
            await asyncio.sleep(LOOK)

    async def shown(self) -> list[Shown]:
        raise NotImplementedError

    async def first(self) -> int:
        return 0

    async def known(self, id: str) -> bool:
        return True


@dataclass
class OnDiscord(Watched):
    """A channel of a guild. What is said to nobody's ears (no session) is found later, so it may overtake nothing but be overtaken."""

    discord: Discord
    channel: Json
    people: Mapping[str, Json]
    name: str = field(init=False)
    conversation: str = field(init=False)
    long = LONG["discord"]
    keyed = True
    strict = False
    mention = " @Hobnob"
    _commands: dict[str, Interaction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = f"discord/{self.channel['name']}"
        self.conversation = Address("discord", self.channel["guild_id"], self.channel["id"]).conversation

    async def say(self, who: str, text: str, nonce: str) -> str:
        person, said = self.people[who], f"{text} <@{self.discord.world.bot['id']}>"
        if text.startswith("picture"):
            return str((await self.discord.send_file(self.channel, person, "cat.png", BROKEN, "image/png", said))["id"])
        command, _, words = text.partition(" ")
        if command == "/relay":
            made = await self.discord.call(self.channel, person, "relay", words=words)
            self._commands[made.id] = made
            return made.id
        return str((await self.discord.say(self.channel, person, said))["id"])

    async def cancel(self, who: str, line: Shown) -> None:
        message = self.discord.world.messages[self.channel["id"]].get(line.id)
        if message is not None and message["components"]:
            await self.discord.press(message, self.people[who], "Cancel")

    async def shown(self) -> list[Shown]:
        bot, messages = self.discord.world.bot["id"], self.discord.world.messages[self.channel["id"]]
        found = [self._shown(message) for message in list(messages.values()) if message["author"]["id"] == bot]
        return [one for one in found if one is not None]

    def _shown(self, message: Json) -> Shown | None:
        asked = (message.get("message_reference") or {}).get("message_id", "")
        if token := message.get("_interaction"):
            made = self.discord.interactions.made[token]
            if made.id not in self._commands:  # what a click is told, nobody else is
                return None
            asked = made.id
        thinking = bool(message["flags"] & 1 << 7)
        return Shown(message["id"], asked, message["content"], thinking or bool(message["components"]), _fault(message["content"]))

    def excused(self, id: str) -> bool:
        """Who uses a command that nobody acknowledges within three seconds is told by Discord that it did not respond."""
        made = self._commands.get(id)
        return made is not None and made.acknowledged is None


@dataclass
class OnTelegram(Watched):
    """A group, where people name the bot, or somebody's chat with it."""

    telegram: Telegram
    chat: Chat
    people: Mapping[str, Json]
    name: str = field(init=False)
    conversation: str = field(init=False)
    long = LONG["telegram"]
    keyed = False
    strict = True
    mention: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"telegram/{self.chat.id}"
        self.conversation = Address("telegram", str(self.chat.id), "main", direct=self.chat.direct).conversation
        self.mention = "" if self.chat.direct else " @Hobnob"

    async def say(self, who: str, text: str, nonce: str) -> str:
        more: dict[str, Any] = {"photo": self.telegram.chats.photo(BROKEN)} if text.startswith("picture") else {}
        said = text if self.chat.direct or text.startswith("/") else f"{text} @{self.telegram.bot['username']}"
        return str(self.telegram.chats.say(self.chat, self.people[who], said, **more)["message_id"])

    async def cancel(self, who: str, line: Shown) -> None:
        message = self.chat.messages.get(int(line.id))
        if message is not None and "reply_markup" in message:
            self.telegram.chats.click(self.chat, self.people[who], message, "Cancel")

    async def shown(self) -> list[Shown]:
        return [self._shown(message) for message in list(self.chat.mine)]

    def _shown(self, message: Json) -> Shown:
        text = str(message.get("text", message.get("caption", ""))).replace(JOINER, "")
        asked = message.get("reply_to_message", {}).get("message_id", "")
        return Shown(str(message["message_id"]), str(asked), text, "reply_markup" in message, _fault(text))

    def excused(self, id: str) -> bool:
        return False


WORDS = ("tell", "aside", "long", "memory", "stuck", "huge", "picture")
"""How answers begin that are none of the bot's own words."""


def _fault(text: str) -> bool:
    return not text.startswith(WORDS)
