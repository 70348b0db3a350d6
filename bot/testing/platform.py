"""A chat platform in memory: what the bot sent there, edited and deleted, within the limits of a real one. Who speaks there: `room.py`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bot.connector import Deliver, Limits, Post
from bot.errors import MessageGone
from bot.forms import Form
from bot.messages import Address, Attachment, Message
from bot.testing.fate import Fate

LIMITS = {
    "room": Limits(text=16_000, file=25 << 20, edit_interval=0.0, menus=True),
    "discord": Limits(text=2000, file=10 << 20, edit_interval=0.0, utf16=True, menus=True),
    "telegram": Limits(text=4096, file=50 << 20, edit_interval=0.0, files_per_edit=1, caption=1024, utf16=True),
}
"""What platforms allow, as their connectors say it, without their pace: no test waits for that."""


class Platform:
    """Implements `bot.Connector`, with forms. The same nonce gives the same message, as on Discord and in our own rooms."""

    def __init__(self, kind: str, fate: Fate) -> None:
        self._fate = fate
        self.name = kind
        self.private = True  # whom a test speaks for is let in
        self.files: dict[str, bytes] = {}
        self.chats: defaultdict[Address, dict[str, Sent]] = defaultdict(dict)
        self.forms: list[Form] = []
        self._nonces: dict[str, str] = {}

    def limits(self, to: Address) -> Limits:
        """The same in every chat."""
        return LIMITS[self.name]

    async def run(self, deliver: Deliver) -> None:
        """Nobody says anything but through a Room."""
        await asyncio.Event().wait()

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        """Ids count up. AssertionError for what the platform would refuse."""
        self._fits(to, post)
        id = self._nonces.setdefault(nonce, str(len(self._nonces) + 1))
        self.chats[to].setdefault(id, Sent([post]))
        await self._fate.step(f"after the message {post.text[:40]!r}")
        return id

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """What it said before is kept."""
        self._fits(to, post)
        if message not in self.chats[to]:
            raise MessageGone(f"message {message} is gone")
        if self.chats[to][message].versions[-1] != post:
            self.chats[to][message].versions.append(post)
        await self._fate.step(f"after the change to {post.text[:40]!r}")

    async def delete(self, to: Address, message: str) -> None:
        """One that is gone is no error."""
        self.chats[to].pop(message, None)

    async def open_form(self, message: Message, form: Form) -> None:
        """Keeps it."""
        self.forms.append(form)

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """What a test has uploaded."""
        yield self.files[attachment.id]

    def _fits(self, to: Address, post: Post) -> None:
        limits = self.limits(to)
        assert limits.size(post.text) <= limits.text, f"{self.name} takes {limits.text} characters, found {limits.size(post.text)}"
        for upload in post.uploads:
            assert len(upload.content) <= limits.file, f"{self.name} takes files of {limits.file} bytes, found {len(upload.content)}"


@dataclass(slots=True)
class Sent:
    """A message of the bot, in all its versions; the last one stands."""

    versions: list[Post] = field(default_factory=list)
