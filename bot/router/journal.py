"""What one run of a ticket has done so far, and how it is proved to be done once. What the effects are: `acts.py`, `delivery.py`."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import structlog

from bot.errors import StoreError
from bot.messages import Message
from bot.store.digests import digest
from bot.store.tickets import Ticket, Write
from bot.translation import Phrase

AGAIN = 0.1
"""Seconds until it is seen again whether Redis is back."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def outlasting(call: Callable[[], Awaitable[T]]) -> T:
    """What it gives once Redis takes it: of what stands in a chat already, a run that were given up would say it again."""
    told = False
    while True:
        try:
            return await call()
        except StoreError as error:
            if not told:
                log.warning("what was said waits for Redis, to be written down", fault=str(error))
            told = True
            await asyncio.sleep(AGAIN)


class Ledger(Protocol):
    """Where journals are kept: Redis, or nowhere when the cost of the rest is measured."""

    async def record(self, ticket: Ticket, field: str, value: bytes, writes: Sequence[Write] = ()) -> bytes:
        """See `Tickets.record`."""

    def holds(self, since: float) -> bool:
        """See `Tickets.holds`."""


class Journal:
    """The journal of a ticket in the hands of this router. `ref` is the reference id that people are told."""

    def __init__(self, ticket: Ticket, ledger: Ledger, entries: Mapping[str, bytes], within: str = "") -> None:
        self.ticket = ticket
        self._ledger = ledger
        self._entries = dict(entries)
        self._within = within
        self._seen: defaultdict[str, int] = defaultdict(int)
        self._since = time.monotonic()
        self.busy = False
        """True once a job was submitted in this run."""
        self.failed = False
        """True when it ends in an apology."""
        self.trouble: Phrase | None = None
        """Why the plugin rests, where that, or a fault of its own, is what the ticket came to."""

    @property
    def message(self) -> Message:
        """The message that the ticket is about."""
        return self.ticket.body.message

    @property
    def ref(self) -> str:
        """The ticket's."""
        return self.ticket.ref

    @property
    def again(self) -> bool:
        """True when another run came before this one, and may have done more than it could journal."""
        return self.ticket.attempts > 1 or self.ticket.fence > 1

    @property
    def touched(self) -> bool:
        """True once anything is journalled."""
        return bool(self._entries)

    @property
    def held(self) -> bool:
        """False when another router may have the ticket by now."""
        return self._ledger.holds(self._since)

    def age(self) -> float:
        """Seconds since the ticket was accepted."""
        return time.time() - self.ticket.at

    def name(self, kind: str, *args: str) -> str:
        """The name of an effect: its kind, a digest of its arguments, and the how-manieth of these it is in this run.

        The same handler asks for the same names on every replay, in whatever order its concurrent parts run.
        """
        what = f"{self._within}{kind}:{digest(*args)}"
        self._seen[what] += 1
        return f"{what}:{self._seen[what]}"

    def within(self, name: str, plugin: str, settings: Mapping[str, object]) -> Journal:
        """For what another plugin does in this run, in the course of the effect `name`; its own effects have names of their own."""
        body = self.ticket.body.model_copy(update={"plugin": plugin, "settings": dict(settings), "ordered": False})
        return Journal(replace(self.ticket, body=body), self._ledger, self._entries, f"{name}>")

    def find(self, name: str) -> bytes | None:
        """What is journalled under this name, or None."""
        return self._entries.get(name)

    async def write(self, name: str, value: bytes, writes: Sequence[Write] = ()) -> bytes:
        """Journals a value together with its writes; returns what the journal holds. Raises Superseded."""
        held = self._entries[name] = await self._ledger.record(self.ticket, name, value, writes)
        return held

    async def once(self, name: str, do: Callable[[], Awaitable[bytes]], writes: Sequence[Write] = ()) -> bytes:
        """What `do` gave the first time; on a replay it is not called."""
        found = self._entries.get(name)
        return found if found is not None else await self.write(name, await do(), writes)
