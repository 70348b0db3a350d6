"""What a connector is: it speaks one chat platform. Ours are in `bot/connectors/`; splitting and pacing are in `bot/router/delivery.py`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal, Protocol, runtime_checkable

from bot.forms import Choice, Form, Option
from bot.messages import Address, Attachment, Called, Message

COMMAND = re.compile(r"/(?P<name>[\w-]{1,64})(?:@(?P<bot>\w+))?(?:\s+(?P<text>.*))?", re.DOTALL)


def typed_command(text: str, bot: str = "") -> Called | None:
    """The command that `text` is, on platforms where commands are typed; None for other words and for another bot's command."""
    found = COMMAND.fullmatch(text.strip())
    if found is None or (found["bot"] and found["bot"].lower() != bot.lower()):
        return None
    return Called(found["name"].lower(), text=found["text"] or "")


ASKED = re.compile(r"/(?P<name>[\w-]{1,64})(?P<given> [^<\n]*?)? <(?P<field>\w+)>[.:。：]")


def asked_for(text: str) -> tuple[Called, str] | None:
    """The command, with what was given to it, that the bot asked one thing more for with this text, and which; None for other words."""
    found = ASKED.match(text)
    return (Called(found["name"], text=(found["given"] or "").strip()), found["field"]) if found else None


Deliver = Callable[[Message], Awaitable[None]]
"""Returns once the message's tickets are written; a connector acknowledges an event only after that.

Raises StoreError when nothing could be written: the connector keeps the event and delivers it again.
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the platform allows in one chat. `text` in characters, `file` in bytes, `edit_interval` in seconds.

    With `utf16` a character beyond the first 65,536 counts as two, as it does for most platforms; `rate` is how many calls a second the
    platform takes from the whole bot, or with `rate_apart` from this router. `preview_interval` is how many seconds lie between two
    pictures in a status line, 0 where it can have none. `caption` is how long a text with files may be where that is less than `text`,
    and `files_per_edit` how many files a message can be edited to hold. `patience` is after how many seconds nobody waits for an answer
    any more to a message that comes late. `budget` is how many calls a chat, with all its threads, takes in so many seconds; 0 for no
    such limit; with `threads_apart` each thread has a budget of its own. `bytes_per_post` is how many bytes the files of a post may have
    together. With `menus` a post may have menus; elsewhere each of their choices is a button. With `spoilers` a picture can be hidden until
    somebody opens it; elsewhere one that is to be hidden comes in an archive.
    """

    text: int
    file: int
    edit_interval: float
    files_per_post: int = 10
    bytes_per_post: float = inf
    files_per_edit: int = 10
    caption: int | None = None
    utf16: bool = False
    rate: float = inf
    rate_apart: bool = False
    patience: float = inf
    budget: tuple[int, float] = (0, 0.0)
    threads_apart: bool = False
    preview_interval: float = 0.0
    menus: bool = False
    spoilers: bool = False

    def size(self, text: str) -> int:
        """How long the platform says that a text is."""
        wide = self.utf16 and not text.isascii()
        return len(text) + sum(character > "\uffff" for character in text) if wide else len(text)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a post, with its bytes."""

    name: str
    mime: str
    content: bytes
    alt: str = ""
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A button of a post; `id` comes back in `Clicked`."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of a post; `id` comes back in `Clicked`, with the values of `least` to `most` of the choices, which are their places."""

    id: str
    choices: tuple[Choice, ...]
    placeholder: str = ""
    least: int = 1
    most: int = 1


@dataclass(frozen=True, slots=True)
class Post:
    """One platform message, within the connector's Limits; `text` is Markdown. A mention in it must not notify anybody.

    `busy` marks a status line that is still going to change, `partial` one that is the beginning of the answer, `fault` a post
    that says why there is no answer, and `asks` one that wants a reply, which a platform may open for who is asked. `via` is that of
    the message which is answered, and `opening` marks the first post that answers it: where a platform shows that the bot is
    thinking, this takes its place. `about` is that message's id, also where the post does not reply to it, and `person` whose
    message it was, who alone may see a private one.
    """

    text: str
    uploads: tuple[Upload, ...] = ()
    keys: tuple[Key, ...] = ()
    menus: tuple[Menu, ...] = ()
    reply_to: str = ""
    silent: bool = False
    private: bool = False
    busy: bool = False
    partial: bool = False
    fault: bool = False
    asks: bool = False
    via: str = ""
    opening: bool = False
    about: str = ""
    person: str = ""


@runtime_checkable
class Single(Protocol):
    """A connector that, while `single` is true, only one router at a time may run, because its platform gives each event once."""

    single: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A command as a platform lists it; with `menu` also in the menu of a message."""

    name: str
    description: str
    options: tuple[Option, ...] = ()
    menu: bool = False
    descriptions: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Listing(Protocol):
    """A connector whose platform lists commands. It delivers a `Joined` for each server that it is in, and one for direct messages."""

    async def publish(self, server: str, offers: Sequence[Offer]) -> None:
        """Lists exactly these in the server, or with "" for people alone with the bot. Called when they have changed."""


@runtime_checkable
class Attending(Protocol):
    """A connector whose platform says which servers the bot is in. It delivers a `Present` when it has heard that anew."""

    def absent(self, servers: Sequence[str]) -> list[str]:
        """Those of these that the bot is not in; none of which this connector would not hear, or has not heard yet."""


Need = Literal["every_message", "reactions"]
"""What a setting may need of a platform: that the bot is shown what is not said to it, or told of reactions."""


@dataclass(frozen=True, slots=True)
class Needs:
    """In the annotation of a setting: what it needs of the platform, with one of `values`, or with any but an empty one."""

    need: Need
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class DefaultOn:
    """In the annotation of a setting: what it is by default on the platform of this name, where that is not what it is elsewhere."""

    platform: str
    value: object


@runtime_checkable
class Objecting(Protocol):
    """A connector whose platform may withhold what a setting needs."""

    async def objection(self, to: Address, need: Need) -> str | None:
        """What the bot does not get there, and the click that changes it; None where it gets it."""


@runtime_checkable
class Threading(Protocol):
    """A connector whose platform has threads that a message can begin."""

    async def open_thread(self, message: Message, title: str) -> str:
        """The id of the thread that this message began, now or before: it is the message's own, by which it is taken back there, too."""


@runtime_checkable
class Filling(Protocol):
    """A connector whose platform has forms, which a click opens and whoever fills one in sends back at once."""

    async def open_form(self, message: Message, form: Form) -> None:
        """Opens it for who clicked, while `deliver` has the click. It comes back as `Clicked` of the same button, with what is in it."""


@runtime_checkable
class Suggesting(Protocol):
    """A connector whose platform asks what may be meant while somebody types an option: it delivers a `Typing`."""

    async def suggest(self, message: Message, choices: Sequence[Choice]) -> None:
        """Shows these to who is typing, while `deliver` has the question."""


@runtime_checkable
class Remembering(Protocol):
    """A connector that keeps what people say itself, because it is their platform."""

    async def said_by(self, person: str) -> tuple[list[Any], list[tuple[str, bytes]]]:
        """All that this person said, as JSON, and the files that were sent along, by name."""

    async def forget(self, person: str) -> int:
        """Deletes all of it, with the person's name; how many messages there were."""


@runtime_checkable
class Private(Protocol):
    """A connector that, while `private` is true, only those reach whom the operator has let in: nobody there is asked who they are."""

    private: bool


@runtime_checkable
class Departing(Protocol):
    """A connector whose platform lets the bot leave a server by itself."""

    async def leave(self, server: str) -> None:
        """The bot is not there any more."""


@runtime_checkable
class Signing(Protocol):
    """A connector whose platform can show for some seconds that an answer is being made."""

    async def sign(self, to: Address) -> None:
        """Shows it; a message there ends it."""


@runtime_checkable
class Connected(Protocol):
    """A connector that knows whether it is connected to its platform while it runs."""

    def trouble(self) -> str:
        """ "" while it is, else what is wrong, in a few words."""


@runtime_checkable
class Closing(Protocol):
    """A connector that has something to end when its router does, after the last answer."""

    async def close(self) -> None:
        """Called once, when nothing is sent any more."""


class Connector(Protocol):
    """Turns one platform's events into Messages and Posts into its calls. Every method may raise ConnectorError."""

    name: str

    def limits(self, to: Address) -> Limits:
        """What may be sent there, and how often."""

    async def run(self, deliver: Deliver) -> None:
        """Receives until cancelled; reconnects by itself."""

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        """The new message's id, which is the connector's own affair. The same nonce gives the first one's id where the platform can.

        "" for a `partial` post that the platform shows without making it a message: the same nonce changes it, the answer is sent anew.
        """

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """Replaces a message that `send` made; editing it to what it is already is no error. Raises MessageGone."""

    async def delete(self, to: Address, message: str) -> None:
        """Removes a message that `send` made; one that is gone is no error. The `via` of an arrival: nothing will answer it."""

    def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The attachment's bytes, in pieces."""
