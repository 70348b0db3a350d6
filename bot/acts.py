"""What stands behind a Context: every act of a handler, by JSON and bytes, and what acts give back. What handlers see: `context.py`.

The router's acts are durable (`bot/router/acts.py`), the test kit's are scripted (`bot/testing/acts.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from bot.choices import Deciding
from bot.connector import Limits
from bot.house import Owning
from bot.jobs import Function, Job, Partial, Result
from bot.messages import Audio, Blob, Image, Message, Person, Source
from bot.permissions import Granting
from bot.personal import Keeping
from bot.quotas import Metering
from bot.replies import Reply
from bot.traces import Trace
from bot.turns import Call, Summary, Turn

R = TypeVar("R", bound=Result)

Scope = Literal["server", "chat", "person"]
Show = Callable[[Partial], Reply | None]
"""Turns a partial into what the chat sees meanwhile; None shows nothing new."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An HTTP answer; the body is cut at the size that was asked for."""

    status: int
    mime: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of decoded audio, ready for `Transcribe`; `start` and `seconds` lie within the original."""

    audio: Blob
    start: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture of somebody's, read and written anew as a PNG. `recipe` is what its file says of how it was drawn, "" for nothing."""

    image: Blob
    width: int
    height: int
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """The words of a PDF: those of the first `read` of its `pages`, as far as was asked."""

    text: str
    read: int
    pages: int


class Acts(Deciding, Granting, Keeping, Metering, Owning, Protocol):
    """What a Context can do, by JSON and bytes; the router's is durable, the test kit's is scripted."""

    @property
    def limits(self) -> Limits:
        """See `Context.limits`."""

    async def run(self, job: Job[R], show: Show | None, quiet: bool = False) -> R:
        """Submits the job and waits; see `Context.run` and `Context.stream`."""

    async def tools(self) -> tuple[Function, ...]:
        """See `Context.tools`."""

    async def call(self, call: Call) -> Reply:
        """See `Context.call`."""

    async def models(self, kind: str) -> list[str]:
        """See `Context.models`."""

    async def post(self, reply: Reply) -> None:
        """See `Context.reply`."""

    async def turns(self, budget: int, person: str) -> list[Turn]:
        """See `Conversation.turns`; `person` is whose turns, "" everybody's. So it is below."""

    async def append(self, turn: Turn) -> None:
        """See `Conversation.append`."""

    async def withdraw(self, message: str) -> None:
        """See `Conversation.withdraw`."""

    async def reset(self, person: str) -> None:
        """See `Conversation.reset`."""

    async def summary(self, person: str) -> Summary:
        """See `Conversation.summary`."""

    async def condense(self, summary: Summary, person: str) -> None:
        """See `Conversation.condense`."""

    async def load(self, scope: Scope, key: str, of: Person | None = None) -> bytes | None:
        """The JSON under the key, or None; with the scope "person", `of` somebody else than the sender."""

    async def save(self, scope: Scope, key: str, value: bytes | None, ttl: float | None) -> None:
        """Keeps the JSON under the key; None removes it."""

    async def fetch(self, method: str, url: str, headers: Mapping[str, str], body: bytes, limit: int) -> Fetched:
        """See `Context.fetch`."""

    async def forward(self, message: Message) -> None:
        """See `Context.forward`."""

    async def schedule(self, name: str, payload: Mapping[str, Any], at: float) -> str:
        """See `Context.schedule`; `at` is seconds since 1970."""

    async def unschedule(self, id: str) -> None:
        """See `Context.unschedule`."""

    async def read(self, source: Source, limit: int) -> bytes:
        """See `Context.read`."""

    async def keep(self, content: bytes, mime: str, name: str) -> Blob:
        """See `Context.keep`."""

    def clips(self, audio: Audio, longest: float, total: float, ahead: int) -> AbstractAsyncContextManager[AsyncIterator[Clip]]:
        """See `Context.clips`."""

    async def picture(self, image: Image, side: int) -> Canvas:
        """See `Context.picture`."""

    async def paper(self, source: Source, letters: int) -> Paper:
        """See `Context.paper`."""

    async def remove(self) -> None:
        """See `Context.remove`."""

    async def trace(self, message: str) -> Trace | None:
        """See `Context.trace`."""
