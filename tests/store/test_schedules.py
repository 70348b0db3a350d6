"""Firings are handed out until they are done, and one that another release wrote holds up no other."""

from __future__ import annotations

import json

import pytest
from redis.asyncio import Redis

from bot.messages import Address, Person
from bot.store.keys import Keys
from bot.store.personal import PersonalData
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


async def test_what_cannot_be_read_holds_up_none_of_the_others(schedules: Schedules) -> None:
    assert sorted(await schedules.due()) == ["1", "3"]
    assert await schedules.find("1") is not None
    assert await schedules.due() == {}, "they are handed out to one router at a time"
    for id in ("1", "3"):
        await schedules.done(id)
    assert await schedules.find("1") is None


async def test_what_another_release_scheduled_for_somebody_is_theirs_to_have_and_to_delete(redis: Redis, keys: Keys) -> None:
    personal = PersonalData(redis, keys)
    theirs = [{"of": "another release", "address": {"connector": "room"}, "person": {"id": id}} for id in ("ada", "bob")]
    await redis.hset(keys.firings(), mapping={str(number): json.dumps(one) for number, one in enumerate([*theirs, {}])})
    assert (await personal.found("room", "ada"))["firings"] == theirs[:1]
    assert (await personal.forget("room", "ada"))["firings"] == 1
    assert sorted(await redis.hkeys(keys.firings())) == [b"1", b"2"]
