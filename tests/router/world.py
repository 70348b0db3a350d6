"""A router that can be killed at any instant: between any two things that it does to Redis or to the platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from redis.asyncio import Redis

from bot.connector import Post
from bot.messages import Address
from bot.plugins import Plugins
from bot.router import app
from bot.router.app import Router
from bot.store.connection import FairPool, Lean, connect
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform


class Killed(BaseException):
    """The process is gone. No handler catches it, and nothing it does any more has an effect."""


@dataclass
class Fate:
    """Counts what a router does to the world and kills it before or after the `at`-th deed; 0 lets it live."""

    at: int = 0
    deeds: int = 0
    dead: bool = False

    def step(self) -> None:
        """One instant at which a process can die."""
        self.deeds += 1
        if self.dead or self.deeds == self.at:
            self.dead = True
            raise Killed


class Mortal(Lean):
    """A connection whose process dies when its fate says so: at a command, or at scripts that travel together."""

    fate: Fate
    deed = False

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        first, *others = command
        waits = any(word in first for word in (b"BLPOP", b"XREAD", b"BLMOVE", b"BZPOPMIN"))
        self.deed = check_health and not waits and (not others or b"EVALSHA" in first)  # who connects checks no health
        if self.deed:
            self.fate.step()
        await super().send_packed_command(command, check_health)

    async def read_response(self, *how: Any, **more: Any) -> Any:
        found = await super().read_response(*how, **more)
        if self.deed:
            self.fate.step()
        return found


@dataclass
class Seen(Platform):
    """A platform as one router reaches it; the chats are shared with every other router."""

    fate: Fate = field(default_factory=Fate)

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        self.fate.step()
        id = await super().send(to, post, nonce)
        self.fate.step()
        return id

    async def edit(self, to: Address, message: str, post: Post) -> None:
        self.fate.step()
        await super().edit(to, message, post)
        self.fate.step()

    async def delete(self, to: Address, message: str) -> None:
        self.fate.step()
        await super().delete(to, message)
        self.fate.step()


def unless_killed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Nobody asks a dead process's tasks how they ended."""
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)


@asynccontextmanager
async def router(url: str, keys: Keys, plugins: Plugins, platform: Platform, fate: Fate) -> AsyncIterator[Router]:
    """A router on the platform that lives until `fate` or the end."""
    pool = FairPool.from_url(url)
    pool.connection_class = type("Doomed", (Mortal, pool.connection_class), {"fate": fate})
    client = Redis.from_pool(pool)
    seen = Seen(platform.name, platform.most, platform.chats, platform.calls, nonces=platform.nonces, files=platform.files, fate=fate)
    made = app.build(client, keys, plugins, [seen])
    asyncio.get_running_loop().set_exception_handler(unless_killed)
    try:
        yield made
    finally:
        for _, task in list(made.runner._held.values()):
            task.cancel()
        fate.dead, fate.at = fate.dead and fate.at > 0, 0
        await made.endings.close()
        await made.stores.queue.close()
        await client.aclose()


async def take_over(redis: Redis, keys: Keys, made: Router) -> None:
    """Runs what dead routers left, as if its leases had lapsed, and what waits in line."""
    held = {ticket.id for ticket in made.runner.held}
    lapsed = {id: 0.0 for id in cast("list[bytes]", await redis.zrange(keys.ticket_leases(), 0, -1)) if id.decode() not in held}
    if lapsed:
        await redis.zadd(keys.ticket_leases(), lapsed)
        await made.tickets.reap()
    while (ticket := await made.tickets.claim("room")) is not None:
        made.runner.start(ticket)


async def finish(url: str, keys: Keys, *living: Router) -> None:
    """Takes over what dead routers left and waits until every ticket has ended. Of several routers, the last takes over."""
    client = connect(url)

    async def nothing_left() -> bool:
        if not any(made.runner.held for made in living[:-1]):
            await take_over(client, keys, living[-1])
        return not await client.zcard(keys.ticket_leases()) and not await client.llen(keys.ticket_ready("room"))

    await wait_until(nothing_left, 20.0)
    await client.aclose()
