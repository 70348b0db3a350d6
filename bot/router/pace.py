"""When a chat may next be written to, as its platform's limits allow; what is written: `delivery.py`.

Each router counts for itself, and where there are several, what they call together is counted in the store too: `store/pacing.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import Protocol

from bot.connector import Limits
from bot.errors import StoreError
from bot.messages import Address
from bot.spacing import Spacing

RESERVED = 4
"""One in so many of a chat's calls is kept for answers, which streamed text and progress may not use up."""

REMEMBERED = 4096
"""Chats above which what is long past is forgotten; and again once twice as many are known as were left."""

LONG_PAST = 120.0
"""Seconds after which no call counts any more: longer than any platform's budget looks back."""


class Together(Protocol):
    """Where routers count what they call together: `bot.store.pacing.Pacing`."""

    several: bool

    async def take(self, chat: Address, limits: Limits, most: int) -> float:
        """See `Pacing.take`."""

    async def hold(self, chat: Address, seconds: float) -> None:
        """See `Pacing.hold`."""


class Window:
    """The calls within a stretch of time, those that wait for their turn included."""

    def __init__(self) -> None:
        self._calls: deque[float] = deque()

    def next(self, now: float, most: float, seconds: float) -> float:
        """When another call is within the limit of `most` in so many `seconds`."""
        while self._calls and self._calls[0] <= now - seconds:
            self._calls.popleft()
        return now if len(self._calls) < most else self._calls[-int(most)] + seconds

    def add(self, at: float, *, instead: float | None = None) -> None:
        """Counts a call, or moves one to when it is really made."""
        if instead is not None and instead in self._calls:
            self._calls.remove(instead)
        self._calls.append(at)

    def idle(self, now: float) -> bool:
        """Whether its last call is long past."""
        return not self._calls or self._calls[-1] < now - LONG_PAST


class Pace:
    """Streamed text, previews and progress of all tickets of a chat share its pace; answers only keep to the platform's own limits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, together: Together | None = None) -> None:
        self._clock = clock
        self._together = together
        self._next: dict[Address, float] = {}
        self._held: dict[Address, float] = {}
        self._chats: defaultdict[Address, Window] = defaultdict(Window)
        self._all: dict[str, Spacing] = {}
        self._most = REMEMBERED

    async def turn(self, address: Address, limits: Limits) -> None:
        """Waits for this chat's next slot for something that is shown meanwhile, and takes it."""
        now = self._clock()
        at = max(now, self._next.get(address, 0.0))
        self._next[address] = at + limits.edit_interval
        if at > now:
            await asyncio.sleep(at - now)
        most, _ = limits.budget
        await self._take(address, limits, most - max(1, most // RESERVED) if most else 0)

    async def take(self, address: Address, limits: Limits) -> None:
        """Waits until the platform takes another call there: for what must arrive."""
        await self._take(address, limits, limits.budget[0])

    async def _take(self, address: Address, limits: Limits, most: int) -> None:
        self._forget(self._clock())
        chat = self._chat(address, limits)
        while (wait := self._free(chat, limits, most) - self._clock()) > 0:  # noqa: ASYNC110  what ends it is time
            await asyncio.sleep(wait)
        now = self._clock()
        if most:
            self._chats[chat].add(now)
        if limits.rate < inf:
            await self._whole(address.connector, limits.rate).turn()
        if (most or limits.rate < inf) and self._together is not None and self._together.several:
            await self._agreed(self._together, chat, limits, most)
        if most:
            self._chats[chat].add(self._clock(), instead=now)

    @staticmethod
    async def _agreed(together: Together, chat: Address, limits: Limits, most: int) -> None:
        """While the store is away, each router keeps to its own count."""
        with suppress(StoreError):
            while wait := await together.take(chat, limits, most):  # noqa: ASYNC110  what ends it is time
                await asyncio.sleep(wait)

    def _whole(self, connector: str, rate: float) -> Spacing:
        """The turns of the whole bot."""
        found = self._all.get(connector)
        if found is None:
            found = self._all[connector] = Spacing(rate, self._clock)
        return found

    def _free(self, chat: Address, limits: Limits, most: int) -> float:
        now = self._clock()
        return max(self._held.get(chat, 0.0), self._chats[chat].next(now, most, limits.budget[1]) if most else now)

    async def hold(self, address: Address, limits: Limits, seconds: float, *, limited: bool = False) -> None:
        """Keeps the chat quiet for a while; where the platform said so, in all routers, which may reach it while this one cannot."""
        until = self._clock() + seconds
        self._next[address] = max(self._next.get(address, 0.0), until)
        chat = self._chat(address, limits)
        self._held[chat] = max(self._held.get(chat, 0.0), until)
        if limited and self._together is not None and self._together.several:
            with suppress(StoreError):  # then they find out by themselves
                await self._together.hold(chat, seconds)

    @staticmethod
    def _chat(address: Address, limits: Limits) -> Address:
        """Whom a budget belongs to: a chat, mostly with all its topics."""
        return replace(address, thread="") if address.thread and limits.budget[0] and not limits.threads_apart else address

    def _forget(self, now: float) -> None:
        if max(len(self._next), len(self._chats)) > self._most:
            self._next = {chat: at for chat, at in self._next.items() if at > now}
            self._held = {chat: at for chat, at in self._held.items() if at > now}
            for chat in [chat for chat, window in self._chats.items() if window.idle(now)]:
                del self._chats[chat]
            self._most = max(REMEMBERED, 2 * max(len(self._next), len(self._chats)))
