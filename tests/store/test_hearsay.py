"""What a server was heard to have: for the next start and for other routers, bounded, not for ever, and nothing of who does not want it."""

from __future__ import annotations

import json
import time

import pytest
from redis.asyncio import Redis

from bot.messages import Address, Person
from bot.store import hearsay as module
from bot.store.hearsay import Hearsay
from bot.store.keys import Keys
from bot.store.personal import PersonalData
from bot.store.servers import Choices, Server, Servers
from bot.tables import Talking, TalkingTable

CLUB = Address("telegram", "-1001", "main")


@pytest.fixture
def hearsay(redis: Redis, keys: Keys) -> Hearsay:
    return Hearsay(redis, keys)


@pytest.fixture
def other(redis: Redis, keys: Keys) -> Hearsay:
    """What another router has, or the same one after another start."""
    return Hearsay(redis, keys)


async def test_what_one_router_heard_all_know(hearsay: Hearsay, other: Hearsay) -> None:
    await hearsay.heard(CLUB, "channel", "main/7", "Cats")
    await hearsay.heard(CLUB, "person", "12", "Ben", handle="Ben_12")
    assert await other.known(CLUB, "channel") == {"main/7": "Cats"}
    assert await other.known(CLUB, "person") == {"12": "Ben"}
    assert await other.called(CLUB, "ben_12") == Person("12", "Ben")
    assert await other.called(Address("telegram", "-1002", "main"), "ben_12") is None


async def test_a_name_of_before_replaces_none_and_a_new_one_does(hearsay: Hearsay, other: Hearsay) -> None:
    await hearsay.heard(CLUB, "channel", "main/7", "Cats", may_be_old=True)
    await hearsay.heard(CLUB, "channel", "main/7", "Dogs")
    for one in (hearsay, other):
        await one.heard(CLUB, "channel", "main/7", "Cats", may_be_old=True)
    assert await hearsay.known(CLUB, "channel") == {"main/7": "Dogs"}


async def test_those_who_were_heard_first_make_room(hearsay: Hearsay, redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", {"channel": 1, "person": 2})
    for id in ("1", "2", "3", "4"):
        await hearsay.heard(CLUB, "person", id, f"Person {id}")
    assert list(await hearsay.known(CLUB, "person")) == ["4", "3"]
    assert await redis.hlen(keys.heard(CLUB.tenant)) == 2


async def test_people_are_known_as_long_as_their_server_wants_to_remember(hearsay: Hearsay, redis: Redis, keys: Keys) -> None:
    key, old = keys.heard(CLUB.tenant), time.time() - 3 * module.DAY
    await hearsay.heard(CLUB, "person", "12", "Ben")
    for field in ("person/11", "channel/main/7"):
        await redis.hset(key, field, json.dumps(["of old", old]))
    assert list(await hearsay.known(CLUB, "person")) == ["12", "11"]
    assert list(await Hearsay(redis, keys, TalkingTable(retention=2)).known(CLUB, "channel")) == ["main/7"]
    await Servers(redis, keys).put(CLUB.tenant, Server(choices=Choices(talking=Talking(retention=4))))
    await redis.hset(key, "person/11", json.dumps(["of old", old]))
    assert list(await Hearsay(redis, keys, TalkingTable(retention=2)).known(CLUB, "person")) == ["12", "11"]
    await Servers(redis, keys).put(CLUB.tenant, Server(choices=Choices(talking=Talking(retention=2))))
    assert list(await hearsay.known(CLUB, "person")) == ["12"]
    assert not await redis.hexists(key, "person/11")
    assert 0 < await redis.ttl(key) <= module.KEPT


async def test_who_does_not_want_to_be_remembered_is_not_written_down_and_not_named(
    hearsay: Hearsay, other: Hearsay, redis: Redis, keys: Keys
) -> None:
    data = PersonalData(redis, keys)
    await hearsay.heard(CLUB, "person", "12", "Ben")
    async with redis.pipeline() as batch:
        for person in ("11", "12"):
            batch.execute_command(*data.remembering("telegram", person, False))
        await batch.execute()
    await hearsay.heard(CLUB, "person", "11", "Ann")
    assert await hearsay.known(CLUB, "person") == {}
    assert await redis.hkeys(keys.heard(CLUB.tenant)) == [b"person/12"], "what was kept before stays until it is deleted"
    await redis.delete(keys.unremembered())
    await hearsay.heard(CLUB, "person", "11", "Ann")
    assert set(await hearsay.known(CLUB, "person")) == {"12"}, "within a minute nobody is asked about again"
    await other.heard(CLUB, "person", "11", "Ann")
    assert set(await hearsay.known(CLUB, "person")) == {"11", "12"}


async def test_it_is_given_back_and_deleted(hearsay: Hearsay, redis: Redis, keys: Keys) -> None:
    data = PersonalData(redis, keys)
    for person, name in (("11", "Ann"), ("12", "Ben")):
        await hearsay.heard(CLUB, "person", person, name)
    [(name, *_)] = (await data.found("telegram", "12"))["heard:*"]
    assert name == "Ben"
    assert (await data.forget("telegram", "12"))["heard:*"] == 1
    assert await hearsay.known(CLUB, "person") == {"11": "Ann"}
