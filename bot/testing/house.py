"""What stands behind the rooms of a test: a real router on a real store, a platform in memory, scripted models, and a clock."""

from __future__ import annotations

import asyncio
import functools
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from redis.asyncio import Redis

from bot.allowing import UNLIMITED, Allowed
from bot.plugins import Loaded, Plugins
from bot.router.app import Router, build, running
from bot.router.runner import Runner
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.store.tickets import Ticket, Tickets, Write
from bot.testing.calling import CALLER, Caller
from bot.testing.fate import Fate
from bot.testing.models import Models
from bot.testing.platform import LIMITS, Stage
from bot.testing.waiting import wait_until

PATIENCE = 20.0
"""Seconds until all that follows from a message must have happened."""


@dataclass(slots=True)
class Clock:
    """How far the test is ahead of the world, in seconds."""

    ahead: float = 0.0


class Stopping:
    """The tickets of a router, whose journal ends where fate says so."""

    def __init__(self, tickets: Tickets, fate: Fate) -> None:
        self._tickets = tickets
        self._fate = fate
        self.recall, self.finish, self.hand_back, self.holds = tickets.recall, tickets.finish, tickets.hand_back, tickets.holds

    async def record(self, ticket: Ticket, name: str, value: bytes, writes: Sequence[Write] = ()) -> bytes:
        """See `Tickets.record`."""
        step = f"journal entry {name.partition(':')[0]!r}"
        await self._fate.step(f"before the {step}")
        held = await self._tickets.record(ticket, name, value, writes)
        await self._fate.step(f"after the {step}")
        return held


class Rehearsal(Runner):
    """Runs tickets at the test's time, and all of them from the top again when fate strikes."""

    def __init__(self, *parts: Any, clock: Clock, fate: Fate) -> None:
        table, plugins, tickets, *others = parts
        self._clock = clock
        self._fate = fate
        super().__init__(table, plugins, Stopping(tickets, fate), *others)

    def start(self, ticket: Ticket) -> None:
        """See `Runner.start`."""
        super().start(replace(ticket, at=ticket.at + self._clock.ahead))

    async def die(self) -> None:
        """Leaves everything to the next router, which is this one too."""
        await self._fate.struck.wait()
        left = self.held
        for ticket in left:
            self.abandon(ticket)
        await wait_until(lambda: not self.held)
        for ticket in left:
            await self._tickets.hand_back(ticket)


@dataclass(slots=True)
class House:
    """`plugin` is the first of those under test, whose settings `choose` changes."""

    redis: Redis
    keys: Keys
    router: Router
    platform: Stage
    models: Models
    plugin: str
    clock: Clock
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def now(self) -> float:
        """The test's time, in seconds since 1970."""
        return time.time() + self.clock.ahead

    async def choose(self, server: str = "lounge", **settings: Any) -> None:
        """What an admin of this server chose for the plugin."""
        chosen = Server(choices=Choices(settings={self.plugin: settings}))
        await Servers(self.redis, self.keys).put(f"{self.platform.name}/{server}", chosen)

    async def later(self, seconds: float) -> None:
        """Has what is scheduled until then happen now."""
        self.clock.ahead += seconds
        due = cast("list[bytes]", await self.redis.zrangebyscore(self.keys.firings_due(), "-inf", self.now * 1000))
        if due:
            await self.redis.zadd(self.keys.firings_due(), dict.fromkeys(due, 0.0))
        await wait_until(self._fired, PATIENCE)
        await self.settled()

    async def _fired(self) -> bool:
        return not await self.redis.zcount(self.keys.firings_due(), "-inf", self.now * 1000)

    async def settled(self) -> None:
        """Returns when every ticket has ended."""
        await wait_until(self._nothing_left, PATIENCE)

    async def _nothing_left(self) -> bool:
        self.models.check()
        if self.router.runner.held:
            return False
        async with self.redis.pipeline(transaction=True) as batch:
            batch.zcard(self.keys.ticket_leases())
            batch.llen(self.keys.ticket_ready(self.platform.name))
            return not any(await batch.execute())


@asynccontextmanager
async def house(
    url: str, plugins: Plugins, *, kind: str = "room", settings: Mapping[str, Any] | None = None, fate: Fate
) -> AsyncIterator[House]:
    """A house with these plugins, on keys of its own, which are gone afterwards."""
    redis, keys, clock = connect(url), Keys(f"rehearsal-{uuid.uuid4().hex[:12]}"), Clock()
    platform = Stage(kind, LIMITS[kind], fate=fate)
    scripted, plugin = Models(redis, keys, fate), next(iter(plugins.loaded), "")
    plugins = Plugins([*plugins.loaded.values(), Loaded(CALLER, Caller(), version="1")], calls=plugins.calls)
    working = asyncio.create_task(scripted.work())
    run = functools.partial(Rehearsal, clock=clock, fate=fate)
    made = build(redis, keys, plugins, [platform], lease=2.0, allowed=Allowed(quotas=UNLIMITED), run=run)
    dying = asyncio.create_task(made.runner.die()) if isinstance(made.runner, Rehearsal) else None
    opened = House(redis, keys, made, platform, scripted, plugin, clock)
    try:
        if settings:
            await opened.choose(**settings)
        async with running(made, plugins):
            yield opened
    finally:
        await _ended(working, dying)
        if left := [key async for key in redis.scan_iter(f"{keys.prefix}:*", count=1000)]:
            await redis.delete(*left)
        await redis.aclose()


async def _ended(*tasks: asyncio.Task[None] | None) -> None:
    for task in tasks:
        if task is not None:
            task.cancel()
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
