"""What comes in, free of any platform: Message, and the typed parts of which replies are made too. What goes out: `replies.py`.

How a platform's events become these lives in `bot/connectors/`; who is being spoken to is decided in `bot/router/addressing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from bot.membership import Joined, Left, Moved, Present


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that Hobnob keeps in the store for a while; `size` in bytes, `id` is opaque."""

    id: str
    mime: str
    size: int
    name: str = ""
    kept: Literal["store"] = field(default="store", kw_only=True)


@dataclass(frozen=True, slots=True)
class Attachment:
    """Bytes that still lie on the platform; `id` is the connector's own locator, `size` in bytes as the platform claims."""

    id: str
    mime: str
    size: int
    name: str = ""
    kept: Literal["platform"] = field(default="platform", kw_only=True)


Source = Annotated[Blob | Attachment, Field(discriminator="kept")]


@dataclass(frozen=True, slots=True)
class Text:
    """Words, in Markdown when going out and as typed when coming in."""

    text: str
    kind: Literal["text"] = field(default="text", kw_only=True)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture; `alt` is what a person who cannot see it is told. A `spoiler` is hidden until somebody opens it."""

    source: Source
    alt: str = ""
    spoiler: bool = False
    kind: Literal["image"] = field(default="image", kw_only=True)


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound; `voice` is true for a note recorded in the chat, `seconds` is 0 when the platform does not say."""

    source: Source
    voice: bool = False
    seconds: float = 0.0
    kind: Literal["audio"] = field(default="audio", kw_only=True)


@dataclass(frozen=True, slots=True)
class File:
    """Anything else that has bytes."""

    source: Source
    kind: Literal["file"] = field(default="file", kw_only=True)


Part = Annotated[Text | Image | Audio | File, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a platform; `id` is unique within the connector, `name` is what the others see."""

    id: str
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Where something was said and where the answer lands.

    `server` is a guild, a group or a web room; for a direct message it is the person. `channel` is "main" where a server has no channels.
    `thread` is a thread or forum topic.
    """

    connector: str
    server: str
    channel: str
    thread: str = ""
    direct: bool = False

    @property
    def conversation(self) -> str:
        """One conversation per chat, thread or topic; nothing is shared between two of these."""
        return "/".join(_escaped(word) for word in (self.connector, self.server, self.channel, self.thread))

    @property
    def topic(self) -> str:
        """The thread as choices know it, "" outside of one."""
        return f"{_escaped(self.channel)}/{_escaped(self.thread)}" if self.thread else ""

    @property
    def place(self) -> str:
        """The channel, or the thread in it, as one word; `at` leads back."""
        return self.topic or _escaped(self.channel)

    def at(self, place: str) -> Address:
        """A place of the same server."""
        channel, thread, *_ = *map(_plain, place.split("/")), ""
        return Address(self.connector, self.server, channel, thread)

    @property
    def tenant(self) -> str:
        """The server as the queue and the settings know it."""
        return f"{_escaped(self.connector)}/{_escaped(self.server)}"

    @classmethod
    def of(cls, tenant: str) -> Address:
        """The server of that name, as a whole."""
        connector, server = map(_plain, tenant.split("/"))
        return cls(connector, server, "")


def _escaped(word: str) -> str:
    """Platform ids cannot forge the separator."""
    return word.replace("%", "%25").replace("/", "%2F")


def _plain(word: str) -> str:
    return word.replace("%2F", "/").replace("%25", "%")


@dataclass(frozen=True, slots=True)
class Said:
    """A plain message; `version` grows with its edits, and `replaces` is the event of the version before.

    `found` says that it was found in the chat's history, because nobody may have received when it was said.
    """

    version: int = 0
    replaces: str = ""
    found: bool = False
    kind: Literal["said"] = field(default="said", kw_only=True)


@dataclass(frozen=True, slots=True)
class Called:
    """A command: `options` as a platform with native ones typed them, or `text` as a person typed it behind the name.

    `shared` says that it was typed where other bots read along, one of which may be meant; `edits`, where the message was edited, is the
    event of its first version: a command runs once for it.
    """

    command: str
    options: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    shared: bool = False
    edits: str = ""
    kind: Literal["called"] = field(default="called", kw_only=True)


@dataclass(frozen=True, slots=True)
class Clicked:
    """A button or a menu; `button` is the short id it was sent with. `chosen` are values of a menu, `filled` what was put into a form."""

    button: str
    chosen: tuple[str, ...] = ()
    filled: Mapping[str, Any] | None = None
    kind: Literal["clicked"] = field(default="clicked", kw_only=True)


@dataclass(frozen=True, slots=True)
class Typing:
    """A command that somebody is still typing: `text` is so far in its `option`, `options` are the others."""

    command: str
    option: str
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)
    kind: Literal["typing"] = field(default="typing", kw_only=True)


@dataclass(frozen=True, slots=True)
class Reacted:
    """An emoji put on the message in `reply_to`."""

    emoji: str
    kind: Literal["reacted"] = field(default="reacted", kw_only=True)


@dataclass(frozen=True, slots=True)
class Fired:
    """A schedule came due; `schedule` is the id that `ctx.schedule` returned."""

    schedule: str
    kind: Literal["fired"] = field(default="fired", kw_only=True)


@dataclass(frozen=True, slots=True)
class Deleted:
    """The message of this id is gone from the chat; `replaces` is the event of its newest version."""

    replaces: str = ""
    kind: Literal["deleted"] = field(default="deleted", kw_only=True)


Trigger = Annotated[
    Said | Called | Typing | Clicked | Reacted | Fired | Deleted | Moved | Joined | Left | Present, Field(discriminator="kind")
]


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that this one replies to or reacts to."""

    id: str
    sender: Person
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One arrival. Connectors fill in facts; `addressed` is decided by the router from `me`, `mentions` and `reply_to`.

    `event` is unique per arrival on its connector (message and edit version, interaction, callback, update);
    `at` is the platform's time in seconds since 1970; `me` is the bot's own id on that platform.
    """

    id: str
    event: str
    address: Address
    sender: Person
    parts: tuple[Part, ...] = ()
    trigger: Trigger = Said()
    at: float = 0.0
    me: str = ""
    mentions: tuple[Person, ...] = ()
    reply_to: Quote | None = None
    language: str = ""
    """The language of the bot's own words for the sender, as a tag: what the platform says, then what the router knows better."""
    addressed: bool = False
    manages: bool = False
    """The sender may manage this server, as the platform says; a direct message is the person's own."""
    moderates: bool = False
    """The sender may remove what others say here, as the platform says."""
    guest: bool = False
    """The sender is not, or not yet, a member of this server."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """The sender's roles in this server, as the platform says: their names, by id."""
    age_restricted: bool = False
    """The channel is for adults only, as the platform says."""
    place: str = ""
    """What people call the server, where the platform says."""
    via: str = ""
    """What the connector needs to answer this arrival beside its id, for instance an interaction's token."""
    subject: str = ""
    """What the channel is called and what it is about, as the platform says."""
    album: str = ""
    """Of which album this is one part, where a platform brings them one by one; they become one message."""

    @property
    def text(self) -> str:
        """All words of the message, parts joined by a newline."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Text):  # nearly always, and every listener asks
            return self.parts[0].text
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


message_json: TypeAdapter[Message] = TypeAdapter(Message)
