"""A chat platform in memory, as far as a bot can tell: what was sent, edited and deleted, and calls that fail when told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bot.connector import Deliver, Limits, Need, Post
from bot.messages import Address, Attachment, Message


@dataclass
class Platform:
    """Implements `bot.Connector`. `faults` are raised by the next calls, first come first raised; `None` lets one pass.

    As Discord does, it gives the same message for the same nonce.
    """

    name: str = "room"
    most: Limits = field(default_factory=lambda: Limits(text=200, file=1000, edit_interval=0.0))
    chats: dict[Address, dict[str, Post]] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    faults: deque[Exception | None] = field(default_factory=deque)
    nonces: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
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
        return self.most

    async def run(self, deliver: Deliver) -> None:
        self.deliver = deliver
        await asyncio.Event().wait()

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        self._call("send", nonce, post.text)
        id = self.nonces.setdefault(nonce, f"{len(self.nonces) + 1}")
        self.chats.setdefault(to, {}).setdefault(id, post)
        return id

    async def edit(self, to: Address, message: str, post: Post) -> None:
        self._call("edit", message, post.text)
        assert message in self.chats[to], f"{message} was never sent, or is deleted"
        self.chats[to][message] = post

    async def delete(self, to: Address, message: str) -> None:
        self._call("delete", message, "")
        self.chats[to].pop(message, None)

    async def open_thread(self, message: Message, title: str) -> str:
        self._call("thread", message.id, title)
        return title

    async def objection(self, to: Address, need: Need) -> str | None:
        return self.withholds

    async def leave(self, server: str) -> None:
        self.departed.append(server)

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        yield self.files[attachment.id]

    def _call(self, *call: str) -> None:
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            raise fault
        what, which, text = call
        self.calls.append((what, which, text))
