"""A lounge on each platform, where people send recordings to one house. What must come of these: `test_recordings.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.messages import Attachment, Audio, Person, Text
from bot.store.places import BOT, Draft, Place, newcomer
from bot.store.rooms import Rooms
from tests.wire.discord_payloads import Json
from tests.wire.discord_server import Discord
from tests.wire.telegram_chats import Chat, person, words
from tests.wire.telegram_server import Telegram

OPTIONS = {"voice": "notes", "mynotes": "choice"}
"""What the option of a command is called."""


@dataclass(frozen=True)
class Seen:
    """A message of the bot, its buttons, the content of its files, and what the platform calls it."""

    text: str
    labels: list[str]
    files: list[bytes]
    native: Any


class Lounge(Protocol):
    """A new group, which Ada runs and Ben is in. `tenant` is its server as the house knows it; `marks`: the bot is told of reactions."""

    tenant: str
    marks: bool

    async def record(self, sound: bytes, seconds: float = 11.0, by: str = "Ada") -> Any:
        """Sends a voice note; returns what the platform calls it."""

    async def point(self, note: Any) -> None:
        """Ada asks for the text of a note, as people do it there."""

    async def mark(self, note: Any, sign: str) -> None:
        """Ada puts a sign on a note."""

    async def call(self, command: str, word: str, by: str = "Ada") -> None:
        """Uses a command with one word."""

    async def press(self, below: Seen, label: str) -> None:
        """Ada presses a button."""

    async def seen(self) -> list[Seen]:
        """All that the bot says there, in order."""


@dataclass
class OnDiscord:
    """A channel; the menu of a note has the command."""

    discord: Discord
    channel: Json
    tenant: str = field(init=False)
    marks = True

    def __post_init__(self) -> None:
        self.tenant = f"discord/{self.channel['guild_id']}"
        self._people = {name: self.discord.world.user(name) for name in ("Ada", "Ben")}

    async def record(self, sound: bytes, seconds: float = 11.0, by: str = "Ada") -> Json:
        more: Json = {"voice": True, "seconds": seconds}
        return await self.discord.send_file(self.channel, self._people[by], "voice-message.ogg", sound, "audio/ogg", **more)

    async def point(self, note: Json) -> None:
        await self.discord.use(self.channel, self._people["Ada"], "Transcribe", note)

    async def mark(self, note: Json, sign: str) -> None:
        await self.discord.react(note, self._people["Ada"], sign)

    async def call(self, command: str, word: str, by: str = "Ada") -> None:
        options: Json = {OPTIONS[command]: word}
        await self.discord.call(self.channel, self._people[by], command, **options)

    async def press(self, below: Seen, label: str) -> None:
        await self.discord.press(below.native, self._people["Ada"], label)

    async def seen(self) -> list[Seen]:
        return [self._seen(message) for message in self.discord.said(self.channel)]

    def _seen(self, message: Json) -> Seen:
        labels = [part["label"] for row in message["components"] for part in row["components"]]
        paths = [one["url"].removeprefix(self.discord.url).partition("?")[0] for one in message["attachments"]]
        return Seen(message["content"], labels, [self.discord.world.files[path] for path in paths], message)


@dataclass
class OnTelegram:
    """A group whose administrator the bot is; people reply to a note with the command. What is for Ada alone comes to her own chat."""

    telegram: Telegram
    chat: Chat
    tenant: str = field(init=False)
    marks = True

    def __post_init__(self) -> None:
        self.tenant = f"telegram/{self.chat.id}"
        self.chat.bot = "administrator"
        self._people = {name: person(self.telegram.chats.next_id(), name) for name in ("Ada", "Ben")}
        self.chat.members[self._people["Ada"]["id"]] = "administrator"
        self._alone = {name: self.telegram.chats.direct(one) for name, one in self._people.items()}

    async def record(self, sound: bytes, seconds: float = 11.0, by: str = "Ada") -> Json:
        return self.telegram.chats.say(self.chat, self._people[by], voice=self.telegram.chats.voice(sound, round(seconds)))

    async def point(self, note: Json) -> None:
        self.telegram.chats.say(self.chat, self._people["Ada"], "/transcribe", reply_to=note)

    async def mark(self, note: Json, sign: str) -> None:
        self.telegram.chats.react(self.chat, self._people["Ada"], note, sign)

    async def call(self, command: str, word: str, by: str = "Ada") -> None:
        self.telegram.chats.say(self.chat, self._people[by], f"/{command} {word}")

    async def press(self, below: Seen, label: str) -> None:
        chat = self.telegram.chats.chats[below.native["chat"]["id"]]
        self.telegram.chats.click(chat, self._people["Ada"], chat.messages[below.native["message_id"]], label)

    async def seen(self) -> list[Seen]:
        return [self._seen(message) for message in (*self.chat.mine, *self._alone["Ada"].mine)]

    def _seen(self, message: Json) -> Seen:
        text = words(message)
        labels = [button["text"] for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row]
        files = [self.telegram.chats.files[message["document"]["file_id"]]] if "document" in message else []
        return Seen(text, labels, files, message)


@dataclass
class InRoom:
    """A room of our own; nobody reacts there, and people reply to a note with the command. Ada owns the bot."""

    rooms: Rooms
    place: Place
    ada: Person
    tenant: str = field(init=False)
    marks = False

    def __post_init__(self) -> None:
        self.tenant = f"room/{self.place.room}"
        self._people = {"Ada": self.ada, "Ben": newcomer("Ben")}

    async def record(self, sound: bytes, seconds: float = 11.0, by: str = "Ada") -> str:
        kept = await self.rooms.uploads.put(sound, "note.ogg")
        return await self.rooms.say(self.place, Draft(self._people[by], (Audio(kept, voice=True, seconds=seconds),)))

    async def point(self, note: str) -> None:
        await self.rooms.say(self.place, Draft(self.ada, (Text("/transcribe"),), reply_to=note))

    async def mark(self, note: str, sign: str) -> None:
        raise AssertionError("rooms know no reactions")

    async def call(self, command: str, word: str, by: str = "Ada") -> None:
        await self.rooms.say(self.place, Draft(self._people[by], (Text(f"/{command} {word}"),)))

    async def press(self, below: Seen, label: str) -> None:
        [key] = [key for key in below.native.body.keys if key.label == label]
        await self.rooms.click(self.place, below.native.id, key.id, self.ada)

    async def seen(self) -> list[Seen]:
        said = [message for message in await self.rooms.history(self.place) if message.head.author.id == BOT.id]
        found = []
        for message in said:
            sources = [part.source for part in message.body.parts if not isinstance(part, Text)]
            files = [await self._content(one) for one in sources if isinstance(one, Attachment)]
            found.append(Seen(message.text, [key.label for key in message.body.keys], files, message))
        return found

    async def _content(self, kept: Attachment) -> bytes:
        return b"".join([piece async for piece in self.rooms.uploads.read(kept.id)])
