"""Of several routers one receives; the others take over when it ends, dies or loses its lease."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from bot.router.listening import end, lead
from bot.store.keys import Keys
from bot.store.leads import Leads
from bot.testing import wait_until

LEASE = 0.3


class Office:
    """Routers that would like to lead; `leading` are those that think they do, `asked` how often each has asked to."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self.redis = redis
        self.keys = keys
        self.leading: set[str] = set()
        self.asked: Counter[str] = Counter()

    @asynccontextmanager
    async def router(self, name: str) -> AsyncIterator[asyncio.Task[None]]:
        async def act() -> None:
            assert not self.leading, "two lead"
            self.leading.add(name)
            try:
                await asyncio.Event().wait()
            finally:
                self.leading.discard(name)

        task = asyncio.create_task(lead(Counted(self, name), "telegram", act))
        try:
            yield task
        finally:
            await end((task,))


class Counted(Leads):
    """Notes each time that its router would like to lead."""

    def __init__(self, office: Office, name: str) -> None:
        super().__init__(office.redis, office.keys, name, lease=LEASE)
        self._office = office
        self._name = name

    async def take(self, what: str) -> bool:
        self._office.asked[self._name] += 1
        return await super().take(what)


async def test_one_leads_and_hands_over_at_its_end(redis: Redis, keys: Keys) -> None:
    office = Office(redis, keys)
    async with office.router("a") as first:
        await wait_until(lambda: office.leading == {"a"})
        async with office.router("b"):
            await wait_until(lambda: office.asked["b"] > 6)  # for two leases
            assert office.leading == {"a"}
            await end((first,))
            await wait_until(lambda: office.leading == {"b"})


async def test_a_router_that_died_is_followed_when_its_lease_lapses(redis: Redis, keys: Keys) -> None:
    office = Office(redis, keys)
    await redis.set(keys.lead("telegram"), "the dead", px=round(LEASE * 1000))
    async with office.router("b"):
        await wait_until(lambda: office.leading == {"b"}, 2 * LEASE + 1)


async def test_who_lost_the_lease_stops_at_once(redis: Redis, keys: Keys) -> None:
    office = Office(redis, keys)
    async with office.router("a"):
        await wait_until(lambda: office.leading == {"a"})
        await redis.set(keys.lead("telegram"), "b", px=200)
        await wait_until(lambda: not office.leading)
        await wait_until(lambda: office.leading == {"a"})


async def test_an_act_that_ends_by_itself_is_not_begun_again(redis: Redis, keys: Keys) -> None:
    acts = []

    async def act() -> None:
        acts.append(1)

    await lead(Leads(redis, keys, "a", lease=LEASE), "telegram", act)
    assert acts == [1]
    assert not await redis.exists(keys.lead("telegram"))


async def test_what_is_cancelled_from_within_is_begun_again_and_ends_with_its_router(redis: Redis, keys: Keys) -> None:
    acts = []

    async def act() -> None:
        acts.append(1)
        if len(acts) == 1:
            raise asyncio.CancelledError
        await asyncio.Event().wait()

    leading = asyncio.create_task(lead(Leads(redis, keys, "a", lease=LEASE), "telegram", act))
    await wait_until(lambda: len(acts) == 2)
    await end((leading,))
    assert leading.cancelled()
    assert not await redis.exists(keys.lead("telegram"))


async def test_what_fails_says_so(redis: Redis, keys: Keys) -> None:
    async def act() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await lead(Leads(redis, keys, "a", lease=LEASE), "telegram", act)
