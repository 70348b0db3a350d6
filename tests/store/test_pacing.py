"""Several routers together call no platform more often than it takes; one alone asks nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.connector import Limits
from bot.errors import StoreError
from bot.messages import Address
from bot.router.pace import Pace
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.pacing import Pacing
from bot.testing import wait_until

ROOM, HALL = Address("room", "lounge", "main"), Address("room", "lounge", "hall")
FIVE = Limits(text=100, file=0, edit_interval=0.0, budget=(5, 60.0))
SLOW = Limits(text=100, file=0, edit_interval=0.0, rate=0.02)


async def routers(redis: Redis, keys: Keys, lease: float = 30.0) -> tuple[Pacing, Pacing]:
    made = Pacing(redis, keys, "a", lease=lease), Pacing(redis, keys, "b", lease=lease)
    for one in (*made, *made):
        await one.count()
    return made


async def test_a_chats_budget_is_that_of_all_routers_and_streams_leave_some_of_it(redis: Redis, keys: Keys) -> None:
    a, b = await routers(redis, keys)
    assert [await one.take(ROOM, FIVE, 4) for one in (a, b, a, b)] == [0.0] * 4
    assert 30.0 < await a.take(ROOM, FIVE, 4) <= 60.0
    assert await b.take(ROOM, FIVE, 5) == 0.0
    assert 30.0 < await a.take(ROOM, FIVE, 5) <= 60.0
    assert await a.take(HALL, FIVE, 4) == 0.0


async def test_the_calls_of_a_whole_bot_are_shared_unless_each_router_has_its_own(redis: Redis, keys: Keys) -> None:
    a, b = await routers(redis, keys)
    assert await a.take(ROOM, SLOW, 0) == 0.0
    assert 30.0 < await b.take(HALL, SLOW, 0) <= 50.0
    assert await b.take(HALL, replace(SLOW, rate_apart=True), 0) == 0.0
    assert await b.take(replace(HALL, connector="other"), SLOW, 0) == 0.0


async def test_a_router_alone_asks_nobody_and_two_wait_for_one_another(redis: Redis, keys: Keys) -> None:
    a, b = (Pacing(redis, keys, name, lease=30.0) for name in "ab")
    await a.count()
    first, second = Pace(together=a), Pace(together=b)
    await first.take(ROOM, FIVE)
    assert not await redis.exists(keys.paced(ROOM.conversation))
    for one in (b, a):
        await one.count()
    for pace in (first, second, first, second, first):
        await pace.take(ROOM, FIVE)
    late = asyncio.create_task(second.take(ROOM, FIVE))
    await second.take(HALL, FIVE)
    assert not late.done()
    late.cancel()
    await b.leave()
    await a.count()
    assert not a.several


async def test_what_one_router_is_told_to_wait_all_wait_in_that_chat_alone(redis: Redis, keys: Keys) -> None:
    a, b = await routers(redis, keys)
    for seconds in (30.0, 5.0):
        await Pace(together=a).hold(ROOM, FIVE, seconds, limited=True)
    await Pace(together=a).hold(HALL, FIVE, 30.0)  # because this one cannot reach the platform
    assert 20.0 < await b.take(ROOM, FIVE, 5) <= 30.0
    assert await b.take(HALL, FIVE, 5) == 0.0


async def test_a_router_that_is_gone_counts_no_more(redis: Redis, keys: Keys) -> None:
    a, _ = await routers(redis, keys, lease=1.0)
    assert a.several

    async def alone() -> bool:
        await a.count()
        return not a.several

    await wait_until(alone)


async def test_without_the_store_each_keeps_to_its_own_count(redis: Redis, keys: Keys) -> None:
    gone = Pacing(connect("redis://127.0.0.1:9"), keys, "a", lease=30.0)
    with pytest.raises(StoreError):
        await gone.count()
    gone.several = True
    alone = Pace(together=gone)
    await alone.take(ROOM, FIVE)
    await alone.hold(ROOM, FIVE, 0.001, limited=True)
