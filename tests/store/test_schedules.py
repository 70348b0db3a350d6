"""Firings are handed out until they are done, and one that nobody understands holds up no other."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bot.messages import Address, Person
from bot.store.keys import Keys
from bot.store.schedules import Firing, Schedules


@pytest.fixture
async def schedules(redis: Redis, keys: Keys) -> Schedules:
    """Two that are due, and one that is not a firing between them."""
    schedules = Schedules(redis, keys)
    firing = Firing(plugin="p", name="n", payload={}, address=Address("room", "a", "b"), person=Person("ada", "Ada"), at=1.0)
    for id in ("1", "3"):
        for write in schedules.adding(id, firing):
            await redis.execute_command(*write)  # type: ignore[no-untyped-call]
    await redis.hset(keys.firings(), "2", '{"of another": "version"}')
    await redis.zadd(keys.firings_due(), {"2": 1000})
    return schedules


async def test_what_nobody_understands_is_forgotten_and_the_others_fire(schedules: Schedules) -> None:
    assert sorted(await schedules.due()) == ["1", "3"]
    assert await schedules.find("1") is not None
    assert await schedules.due() == {}, "they are handed out to one router at a time"
    for id in ("1", "3"):
        await schedules.done(id)
    assert await schedules.find("1") is None
