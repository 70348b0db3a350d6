"""A router that is told to stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from redis.asyncio import Redis

from bot.connector import Post
from bot.messages import Address
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform
from tests.router.waiting import scene

A_MOMENT = 0.2
"""Seconds in which it would have been cut off."""


@dataclass
class Hesitant(Platform):
    """What it is sent stands there before it says so."""

    said: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        id = await super().send(to, post, nonce)
        await self.said.wait()
        return id


async def test_what_is_being_sent_is_not_cut_off_and_so_not_said_again(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, kind=Hesitant) as at:
        assert isinstance(at.platform, Hesitant)
        await at.ask()
        await at.finish(await at.claim())
        await wait_until(at.shown)
        stopping = asyncio.create_task(at.router.runner.drain(0.0))
        await asyncio.wait([stopping], timeout=A_MOMENT)
        at.platform.said.set()
        await stopping
        assert not await redis.zcard(keys.ticket_leases()) and not await redis.llen(keys.ticket_ready("room"))
        assert [what for what, _, _ in at.platform.calls].count("send") == 1


async def test_what_waits_is_handed_back_at_once(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys) as at:
        await at.ask()
        claim = await at.claim()
        [before] = at.router.runner.held
        await at.router.runner.drain(0.0)
        await wait_until(lambda: [held.fence for held in at.router.runner.held] == [before.fence + 1])
        await at.finish(claim)
