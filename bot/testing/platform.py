"""A chat platform in memory: what the bot sent there, edited and deleted, and calls that fail when told to. Who speaks there: `room.py`."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bot.connector import Deliver, Limits, Need, Post
from bot.errors import MessageGone
from bot.forms import Form
from bot.messages import Address, Attachment, Message
from bot.testing.fate import Fate

LIMITS = {
    "room": Limits(text=16_000, file=25 << 20, edit_interval=0.0, menus=True, spoilers=True),
    "discord": Limits(text=2000, file=10 << 20, edit_interval=0.0, utf16=True, menus=True, spoilers=True),
    "telegram": Limits(text=4096, file=50 << 20, edit_interval=0.0, files_per_edit=1, caption=1024, utf16=True, spoilers=True),
}
"""What platforms allow, as their connectors say it, without their pace: no test waits for that."""


@dataclass
class Platform:
    """Implements `bot.Connector`, with threads. The same nonce gives the same message, as on Discord and in our own rooms,
    and one that was deleted does not come back by it.

    `faults` are raised by the next calls, first come first raised; None lets one pass. `chats` are the messages that stand, `versions`
    all that each of them was, by its id, `calls` what was done, in order, and
    `departed` the servers that were left. It is `private`: whom a test speaks for is let in.
    """

    name: str = "room"
    most: Limits = field(default_factory=lambda: Limits(text=200, file=1000, edit_interval=0.0))
    chats: dict[Address, dict[str, Post]] = field(default_factory=lambda: defaultdict(dict))
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    faults: deque[Exception | None] = field(default_factory=deque)
    nonces: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    versions: dict[str, list[Post]] = field(default_factory=lambda: defaultdict(list))
    deliver: Deliver | None = None
    withholds: str | None = None
    private: bool = True
    departed: list[str] = field(default_factory=list)

    def shown(self, address: Address) -> list[str]:
        """The words that stand in a chat, in order."""
        return [post.text for post in self.chats.get(address, {}).values()]

    def busy(self) -> bool:
        """True while a status line stands anywhere."""
        return any(post.busy for chat in self.chats.values() for post in chat.values())

    def limits(self, to: Address) -> Limits:
        """The same in every chat."""
        return self.most

    async def run(self, deliver: Deliver) -> None:
        """Nobody says anything by itself: tests call `deliver`."""
        self.deliver = deliver
        await asyncio.Event().wait()

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        """Ids count up."""
        self._call("send", nonce, post.text)
        chat = self.chats.setdefault(to, {})
        if nonce not in self.nonces:
            id = self.nonces[nonce] = f"{len(self.nonces) + 1}"
            chat[id] = post
            self.versions[id].append(post)
        return self.nonces[nonce]

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """Raises MessageGone for one that was deleted."""
        self._call("edit", message, post.text)
        assert message in self.nonces.values(), f"{message} was never sent"
        if message not in self.chats.get(to, {}):
            raise MessageGone(f"message {message} is gone")
        if self.chats[to][message] != post:
            self.chats[to][message] = post
            self.versions[message].append(post)

    async def delete(self, to: Address, message: str) -> None:
        """One that is gone is no error."""
        self._call("delete", message, "")
        self.chats.get(to, {}).pop(message, None)

    async def open_thread(self, message: Message, title: str) -> str:
        """A thread has the id of the message that began it."""
        self._call("thread", message.id, title)
        return message.id

    async def objection(self, to: Address, need: Need) -> str | None:
        """The same for every need."""
        return self.withholds

    async def leave(self, server: str) -> None:
        """Keeps it in `departed`."""
        self.departed.append(server)

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """What a test has uploaded."""
        yield self.files[attachment.id]

    def _call(self, *call: str) -> None:
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            raise fault
        what, which, text = call
        self.calls.append((what, which, text))


@dataclass
class Stage(Platform):
    """A platform with forms, within the limits of a real one, on which `fate` counts what is done."""

    fate: Fate = field(default_factory=Fate)
    forms: list[Form] = field(default_factory=list)

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        """See `Platform.send`. AssertionError for what the platform would refuse."""
        self._fits(post)
        id = await super().send(to, post, nonce)
        await self.fate.step(f"after the message {post.text[:40]!r}")
        return id

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """See `Platform.edit`."""
        self._fits(post)
        await super().edit(to, message, post)
        await self.fate.step(f"after the change to {post.text[:40]!r}")

    async def open_form(self, message: Message, form: Form) -> None:
        """Keeps it."""
        self.forms.append(form)

    def _fits(self, post: Post) -> None:
        size, limits = self.most.size(post.text), self.most
        assert size <= limits.text, f"{self.name} takes {limits.text} characters, found {size}"
        for upload in post.uploads:
            assert len(upload.content) <= limits.file, f"{self.name} takes files of {limits.file} bytes, found {len(upload.content)}"
