"""A channel of Discord and a chat of Telegram as places where people talk to the bot. What a place is: `venues.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from bot.messages import Address
from bot.store.keys import Keys
from bot.store.tickets import ticket_id
from tests.chaos.venues import BROKEN, LOOK, See, Shown, told
from tests.data.plugins.relay.front import LONG
from tests.wire.discord_interactions import Interaction
from tests.wire.discord_payloads import Json
from tests.wire.discord_server import Discord
from tests.wire.telegram_chats import Chat, words
from tests.wire.telegram_server import Telegram

ROUTES = ("listener:aside", "listener:relay", "command:relay")
"""Of the relay."""

NEWEST = 60
"""Messages at which people look who wait for an answer."""


class Watched:
    """What they have in common: nobody is told what is new there, and nothing is forgotten."""

    people: Mapping[str, Json]
    conversation: str

    async def say(self, who: str, text: str, nonce: str) -> str:
        return await self.write(self.people[who], text, BROKEN if text.startswith("picture") else b"")

    async def write(self, person: Json, text: str, picture: bytes) -> str:
        """Says this to the bot, below the picture if there is one; its id."""
        raise NotImplementedError

    async def cancel(self, who: str, line: Shown) -> None:
        message = self.message(line.id)
        if message is not None and self.pressable(message):
            await self.press(message, self.people[who])

    def message(self, id: str) -> Json | None:
        """The message as it stands there now."""
        raise NotImplementedError

    def pressable(self, message: Json) -> bool:
        """Whether it has buttons."""
        raise NotImplementedError

    async def press(self, message: Json, person: Json) -> None:
        """Presses Cancel."""
        raise NotImplementedError

    async def look(self, see: See, waiting: asyncio.Event) -> None:
        while True:
            await waiting.wait()
            for one in (await self.shown())[-NEWEST:]:
                see(one)
            await asyncio.sleep(LOOK)

    async def shown(self) -> list[Shown]:
        return [one for message in list(self.mine()) if (one := self.read(message)) is not None]

    def mine(self) -> Iterable[Json]:
        """The bot's messages, in order."""
        raise NotImplementedError

    def read(self, message: Json) -> Shown | None:
        """What everybody sees of it; None where that is nothing."""
        raise NotImplementedError

    async def first(self) -> int:
        return 0

    async def known(self, id: str, store: Redis, keys: Keys) -> bool:
        connector = self.conversation.partition("/")[0]
        return bool(await store.exists(*(keys.ticket(ticket_id(connector, self.event(id), "relay", route)) for route in ROUTES)))

    def event(self, id: str) -> str:
        """What the connector calls it."""
        raise NotImplementedError

    def excused(self, id: str) -> bool:
        return False


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

    async def write(self, person: Json, text: str, picture: bytes) -> str:
        if text.startswith("/relay"):
            made = await self.discord.call(self.channel, person, "relay", words=text.partition(" ")[2])
            self._commands[made.id] = made
            return made.id
        said = f"{text} <@{self.discord.world.bot['id']}>"
        if picture:
            return str((await self.discord.send_file(self.channel, person, "cat.png", picture, "image/png", said))["id"])
        return str((await self.discord.say(self.channel, person, said))["id"])

    def message(self, id: str) -> Json | None:
        return self.discord.world.messages[self.channel["id"]].get(id)

    def pressable(self, message: Json) -> bool:
        return bool(message["components"])

    async def press(self, message: Json, person: Json) -> None:
        await self.discord.press(message, person, "Cancel")

    def mine(self) -> Iterable[Json]:
        bot = self.discord.world.bot["id"]
        return [one for one in self.discord.world.messages[self.channel["id"]].values() if one["author"]["id"] == bot]

    def read(self, message: Json) -> Shown | None:
        asked = (message.get("message_reference") or {}).get("message_id", "")
        if token := message.get("_interaction"):
            asked = self.discord.interactions.made[token].id
            if asked not in self._commands:  # what a click is told, nobody else is
                return None
        thinking = bool(message["flags"] & 1 << 7)
        return Shown(message["id"], asked, message["content"], thinking or self.pressable(message), told(message["content"]))

    def event(self, id: str) -> str:
        return f"interaction:{id}" if id in self._commands else id

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

    async def write(self, person: Json, text: str, picture: bytes) -> str:
        more: dict[str, Any] = {"photo": self.telegram.chats.photo(picture)} if picture else {}
        said = text if self.chat.direct or text.startswith("/") else f"{text} @{self.telegram.bot['username']}"
        return str(self.telegram.chats.say(self.chat, person, said, **more)["message_id"])

    def message(self, id: str) -> Json | None:
        return self.chat.messages.get(int(id))

    def pressable(self, message: Json) -> bool:
        return "reply_markup" in message

    async def press(self, message: Json, person: Json) -> None:
        self.telegram.chats.click(self.chat, person, message, "Cancel")

    def mine(self) -> Iterable[Json]:
        return self.chat.mine

    def read(self, message: Json) -> Shown | None:
        text = words(message)
        asked = message.get("reply_to_message", {}).get("message_id", "")
        return Shown(str(message["message_id"]), str(asked), text, self.pressable(message), told(text))

    def event(self, id: str) -> str:
        return f"{self.chat.id}:{id}"
