"""What changes is looked at once for all who look, and only while somebody does. What is looked at: the pages' modules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from bot.errors import StoreError

Look = Callable[[], Awaitable[Mapping[str, Any]]]

AWAY: Mapping[str, Any] = {"away": True}
"""What is seen while the store cannot be reached."""

log = structlog.get_logger(__name__)


class Live:
    """One look each `every` seconds, and at once after `hurry`. Who watches is given what is seen at first, and then only what is new."""

    def __init__(self, look: Look, every: float = 1.0) -> None:
        self._look = look
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
        while True:
            self._soon.clear()
            seen = await self._once()
            if seen != self._seen:
                self._seen = seen
                for new in self._watchers:
                    new.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), self._every)

    async def _once(self) -> Mapping[str, Any]:
        try:
            return await self._look()
        except StoreError:
            return AWAY
        except Exception:  # a fault of ours in one look must not end all that follow
            log.exception("a page cannot be shown")
            return AWAY
