"""The words of our rooms: places, people in them, and what stands there. Keeping them is in `rooms.py`."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.connector import Key, Menu
from bot.errors import UserError
from bot.forms import Form
from bot.messages import Attachment, Audio, File, Image, Part, Person, Text
from bot.translation import tr

BOT = Person("hobnob", "Hobnob", bot=True)

LOBBY = "lobby"
"""The room that there always is."""

LONGEST_NAME = 32
LONGEST_TEXT = 20_000
"""Characters of one message; what is longer is attached as a file."""

MOST_FILES = 10
"""Files of one message."""

_ROOM = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PERSON = re.compile(r"p\.[a-z0-9]{1,64}")
_THREAD = re.compile(r"\d{1,20}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said: the channel that a room shares, one person's direct conversation with the bot there, or a thread of the
    channel, whose id is that of the message which began it."""

    room: str
    person: str = ""
    thread: str = ""

    def __post_init__(self) -> None:
        if not _ROOM.fullmatch(self.room):
            raise UserError(tr("“{name}” is no name for a room: use 1 to 32 lower-case letters, digits and hyphens.", name=self.room))
        if self.person and not _PERSON.fullmatch(self.person):
            raise UserError(tr("“{id}” is nobody's id in a room.", id=self.person))
        if self.thread and not _THREAD.fullmatch(self.thread):
            raise UserError(tr("That thread is gone."))

    @property
    def key(self) -> str:
        """The place as the store names it; a room's name holds no slash, so two places never share one."""
        return f"{self.room}/{self.person or self.thread}" if self.person or self.thread else self.room

    @classmethod
    def of(cls, key: str) -> Place:
        """The place behind a key."""
        room, _, inner = key.partition("/")
        return cls(room, thread=inner) if inner.isdecimal() else cls(room, inner)


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


class Head(_Stored):
    """What never changes of a message. `reply_to` is the id of another message of the same place, or empty."""

    author: Person
    mentions: tuple[Person, ...] = ()
    reply_to: str = ""
    language: str = ""


class Body(_Stored):
    """What an edit replaces. Files in `parts` are Attachments of `Uploads`; `only` is the one person who may see it, or empty.

    With a `form` it asks that person to fill it in, which counts as a click on the button `fills`.
    """

    parts: tuple[Part, ...] = ()
    keys: tuple[Key, ...] = ()
    menus: tuple[Menu, ...] = ()
    form: Form | None = None
    fills: str = ""
    busy: bool = False
    fault: bool = False
    only: str = ""


@dataclass(frozen=True, slots=True)
class RoomMessage:
    """A message as it stands. Ids grow with time and are milliseconds since 1970; `version` counts edits, `replies` those in its thread."""

    place: Place
    id: str
    version: int
    head: Head
    body: Body
    replies: int = 0

    @property
    def at(self) -> float:
        """When it was said, in seconds since 1970."""
        return int(self.id) / 1000

    @property
    def text(self) -> str:
        """Its words."""
        return "\n".join(part.text for part in self.body.parts if isinstance(part, Text))

    def seen_by(self, person: str) -> bool:
        """False for what is shown to somebody else alone."""
        return self.body.only in ("", person)


@dataclass(frozen=True, slots=True)
class Gone:
    """A message that was taken away."""

    place: Place
    id: str


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who came to the room; `here` is false when there was no sign of life for a minute."""

    person: Person
    here: bool


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody came to the room or left it; these are its people now, and `id` is empty. Only those who ask for people are told."""

    place: Place
    people: tuple[Present, ...]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Writes:
    """The person of this id is writing there at this moment. Only those who ask for people are told."""

    place: Place
    id: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person is about to say."""

    author: Person
    parts: tuple[Part, ...]
    mentions: tuple[Person, ...] = ()
    reply_to: str = ""
    language: str = ""

    def check(self) -> None:
        """UserError when there is nothing in it, or too much."""
        text = "\n".join(part.text for part in self.parts if isinstance(part, Text))
        files = [part for part in self.parts if not isinstance(part, Text)]
        if not text.strip() and not files:
            raise UserError(tr("The message is empty: write something or attach a file."))
        if len(text) > LONGEST_TEXT:
            has, most = f"{len(text):,}", f"{LONGEST_TEXT:,}"
            raise UserError(
                tr("That text has {has} characters and a message holds {most}. Attach it as a file instead.", has=has, most=most)
            )
        if len(files) > MOST_FILES:
            raise UserError(
                tr("A message takes {most} files and this one has {has}. Send the rest in another.", most=MOST_FILES, has=len(files))
            )


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that the bot has not dealt with yet: a message or its edit, by its `version`; that it was taken back (`gone`, at that
    version); or a click below it, which sets `button` and `by`, and what was `chosen` in a menu or `filled` into a form.

    `message` is None when the message `target` is gone by now.
    """

    id: str
    place: Place
    target: str
    message: RoomMessage | None
    button: str = ""
    by: Person | None = None
    chosen: tuple[str, ...] = ()
    filled: Mapping[str, Any] | None = None
    version: int = 0
    gone: bool = False


def newcomer(name: str, secret: str = "") -> Person:
    """A person of that name. Whoever knows the same `secret` is the same person; without one it is somebody new.

    Raises UserError when the name is empty, too long or the bot's own.
    """
    shown = " ".join("".join(letter for letter in name if letter.isprintable()).split())
    if not shown:
        raise UserError(tr("Pick a name: the others see it beside what you say."))
    if len(shown) > LONGEST_NAME:
        raise UserError(tr("That name has {has} characters: pick one of at most {most}.", has=len(shown), most=LONGEST_NAME))
    if shown.casefold() == BOT.name.casefold():
        raise UserError(tr("{name} is the bot's name: pick another.", name=BOT.name))
    return Person(identity(secret or secrets.token_hex(16)), shown)


def identity(secret: str) -> str:
    """The id of the person who knows the secret; it tells nothing about the secret."""
    return f"p.{hashlib.sha256(secret.encode()).hexdigest()[:24]}"


def part_of(kept: Attachment, *, alt: str = "", spoiler: bool = False, voice: bool = False, seconds: float = 0.0) -> Part:
    """A file as the part of a message that it is; what only pictures or sounds have is for those."""
    match kept.mime.partition("/")[0]:
        case "image":
            return Image(kept, alt, spoiler)
        case "audio" | "video":
            return Audio(kept, voice=voice, seconds=seconds)
    return File(kept)


def mentioned(text: str, people: Sequence[Person]) -> tuple[Person, ...]:
    """Those whose name stands in the text behind an @, whatever its case; of two who share a name, both."""
    said = text.casefold()
    names = {name: _behind_at(said, name) for name in {person.name.casefold() for person in people}}
    return tuple(person for person in people if names[person.name.casefold()])


def _behind_at(said: str, name: str) -> bool:
    """Whether the whole name does; searched for without a pattern, because a room may have a thousand people."""
    at = said.find(f"@{name}")
    while at >= 0:
        after = at + 1 + len(name)
        if not (_of_word(said[at - 1 : at]) or said[at - 1 : at] == "@" or _of_word(said[after : after + 1])):
            return True
        at = said.find(f"@{name}", at + 1)
    return False


def _of_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
