"""Firings are handed out until they are done, and one that another release wrote holds up no other."""

from __future__ import annotations

import json
import time

import pytest
from redis.asyncio import Redis

from bot.messages import Address, Person
from bot.store.keys import Keys
from bot.store.moving import Moving
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


STRANGE = (
    *(
        '{"address": {"connector": "room"}, "person": null, "at": 9e12}',
        '{"address": ["room"], "person": {"id": "ada"}}',
        "[]",
        '"x"',
        "null",
    ),
    *('{"at": ' + "9" * 400 + "}", '{"at": ' + "9" * 5_000 + "}", '{"at": true}', "[" * 100_000, "no JSON", "\x00", "[]", '"x"', "null"),
)
"""What no release wrote."""


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
async def test_one_that_nobody_can_make_sense_of_is_in_nobodys_way(schedules: Schedules, redis: Redis, keys: Keys, strange: str) -> None:
    await redis.hset(keys.firings(), "2", strange)
    personal, moving = PersonalData(redis, keys), Moving(redis, keys)
    assert len((await personal.found("room", "ada"))["firings"]) == 2
    await moving.move(Address("room", "a", "b"), Address("room", "c", "b"))
    assert {firing.address.server for firing in (await schedules.due()).values()} == {"c"}
    assert not await redis.hexists(keys.firings(), "2")
    assert (await personal.forget("room", "ada"))["firings"] == 2


async def test_one_that_was_taken_back_when_it_was_handed_out_is_left_to_nobody(schedules: Schedules, redis: Redis, keys: Keys) -> None:
    at = time.time() - 5.0
    await redis.zadd(keys.firings_due(), {"1": round(at * 1000)})
    assert sorted(await schedules.due()) == ["1", "3"]
    for write in schedules.removing("1"):
        await redis.execute_command(*write)  # type: ignore[no-untyped-call]
    for id in ("1", "3"):
        assert await schedules.leave(id, at, 60.0, "nobody knows it")
    assert await redis.zrange(keys.firings_due(), 0, -1) == [b"3"]


async def test_what_another_release_scheduled_for_somebody_is_theirs_to_have_and_to_delete(redis: Redis, keys: Keys) -> None:
    personal = PersonalData(redis, keys)
    theirs = [{"of": "another release", "address": {"connector": "room"}, "person": {"id": id}} for id in ("ada", "bob")]
    await redis.hset(keys.firings(), mapping={str(number): json.dumps(one) for number, one in enumerate([*theirs, {}])})
    assert (await personal.found("room", "ada"))["firings"] == theirs[:1]
    assert (await personal.forget("room", "ada"))["firings"] == 1
    assert sorted(await redis.hkeys(keys.firings())) == [b"1", b"2"]
