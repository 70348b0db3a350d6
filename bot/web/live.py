"""What changes, or is added, is looked at once for all who look, when the store says so. What is looked at: the pages' modules."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Protocol

import structlog

from bot.errors import StoreError
from bot.store.changes import Changes, Notices

Look = Callable[[], Awaitable[Mapping[str, Any]]]

AWAY: Mapping[str, Any] = {"away": True}
"""What is seen while the store cannot be reached."""

APART = 0.01
"""Seconds between two tabs that are told the same: what is made for each takes the loop a moment, in which nobody is answered."""

ANYWAY = 10.0
"""Seconds after which it is looked at though nothing was written: a worker that is gone writes nothing."""

QUEUED = ("ticket:", "job", "out:", "dead-job", "retries", "duty")
"""The families of keys of which one is written when anything of the queue changes, but for signs of life."""

log = structlog.get_logger(__name__)


class Watched(Protocol):
    """What a page can be handed as it happens."""

    def watch(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """What is seen, until the generator is closed (`contextlib.aclosing`)."""


class Live:
    """One look when something that `changes` name was written, `every` seconds after the last at the soonest, but at once after `hurry`.

    Who watches is given what is seen at first, and then only what is new. Where the store does not tell what was written, there is a look
    each `every` seconds.
    """

    def __init__(self, look: Look, changes: Changes, every: float = 1.0) -> None:
        self._look = look
        self._changes = changes
        self._every = every
        self._watchers: set[asyncio.Event] = set()
        self._looking: asyncio.Task[None] | None = None
        self._soon = asyncio.Event()
        self._seen: Mapping[str, Any] | None = None

    def hurry(self) -> None:
        """Looks now: somebody has just changed something."""
        self._soon.set()

    async def watch(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """What is seen, until the generator is closed (`contextlib.aclosing`)."""
        new = asyncio.Event()
        if self._seen is not None:
            new.set()
        self._watchers.add(new)
        self._looking = self._looking or asyncio.create_task(self._run())
        try:
            while True:
                await new.wait()
                new.clear()
                if self._seen is not None:
                    yield self._seen
        finally:
            self._watchers.discard(new)
            if not self._watchers:
                self._rest()

    def _rest(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self._looking, self._seen = None, None

    async def _run(self) -> None:
        async with self._changes.heard() as notices:
            while True:
                began = time.monotonic()
                self._soon.clear()
                told = await _begun(notices)
                await self._show(await self._once())
                if told:
                    await self._unless_hurried(_told(notices))
                await self._unless_hurried(asyncio.sleep(began + self._every - time.monotonic()))

    async def _show(self, seen: Mapping[str, Any]) -> None:
        if seen != self._seen:
            self._seen = seen
            for new in list(self._watchers):
                new.set()
                await asyncio.sleep(APART)

    async def _unless_hurried(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Returns when it ends, or somebody has changed something."""
        tasks = (asyncio.create_task(waiting), asyncio.create_task(self._soon.wait()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _once(self) -> Mapping[str, Any]:
        try:
            return await self._look()
        except StoreError:
            return AWAY
        except Exception:  # a fault of ours in one look must not end all that follow
            log.exception("a page cannot be shown")
            return AWAY


async def _begun(notices: Notices) -> bool:
    """Whether the store is going to tell what is written from now on."""
    try:
        await notices.begin()
    except StoreError:
        return False
    return True


async def _told(notices: Notices) -> None:
    with suppress(StoreError):
        await notices.wait(ANYWAY)


Row = list[str]
"""An id, which is larger than those before, and what it is of."""


class Tail:
    """What grows at its end: who watches is given the newest (`lines`), and then what is added (`more`), each row once.

    `since` returns when there is more, or after a while; what is added within `every` seconds is handed over together.
    """

    def __init__(
        self, newest: Callable[[], Awaitable[list[Row]]], since: Callable[[str], Awaitable[list[Row]]], every: float = 1.0
    ) -> None:
        self._newest = newest
        self._since = since
        self._every = every
        self._watchers: set[asyncio.Queue[list[Row]]] = set()
        self._reading: asyncio.Task[None] | None = None

    async def watch(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """See `Watched`."""
        mine: asyncio.Queue[list[Row]] = asyncio.Queue()
        self._watchers.add(mine)  # first: a row that comes twice is known by its id, one that never comes is lost
        try:
            while (lines := await self._begin()) is None:
                yield AWAY
                await asyncio.sleep(self._every)
            last = lines[-1][0] if lines else ""
            self._reading = self._reading or asyncio.create_task(self._run(last))
            yield {"lines": lines}
            while True:
                yield {"more": await mine.get()}
        finally:
            self._watchers.discard(mine)
            if not self._watchers and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    async def _begin(self) -> list[Row] | None:
        try:
            return await self._newest()
        except StoreError:
            return None

    async def _run(self, last: str) -> None:
        while True:
            with suppress(StoreError):
                if rows := await self._since(last):
                    last = rows[-1][0]
                    for one in list(self._watchers):
                        one.put_nowait(rows)
                        await asyncio.sleep(APART)
            await asyncio.sleep(self._every)
