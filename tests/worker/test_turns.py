"""Models take turns on a device: who parks, who goes on, and who pays."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from redis.asyncio import Redis

from bot import heap
from bot.errors import StoreError
from bot.models import Batch, Memory, Model, Placement
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.queue import Finished, Queue
from bot.store.shifts import Begun, Claim, Offer, Shift
from bot.testing import wait_until
from bot.worker.device import Device
from bot.worker.hearing import WAIT
from bot.worker.loop import Loop
from bot.worker.meter import Meter
from bot.worker.offers import offer
from tests.worker.conftest import Jobs
from tests.worker.drill import Beat, Done, Sing


class Long(Model[Sing, Done]):
    """Sings until it is told to end, and makes room for others when it must."""

    name = "long"
    job = Sing
    max_batch = 4
    parks = True

    def __init__(self) -> None:
        self.enough = threading.Event()
        self.turns: list[list[str]] = []

    def memory(self) -> Memory:
        return Memory(1)

    def load(self, placement: Placement) -> None: ...

    def unload(self) -> None: ...

    def run(self, batch: Batch[Sing, Done]) -> None:
        self.turns.append([work.job.name for work in batch])
        while not self.enough.wait(0.005):
            batch.join(4)
            if batch.over or all(work.cancelled for work in batch):
                return
        for work in batch:
            work.finish(Done(pid=1))


class Short(Long):
    """Is done at once."""

    name = "short"
    job = Beat  # type: ignore[assignment]
    parks = False

    def __init__(self) -> None:
        super().__init__()
        self.enough.set()


class Host(Short):
    """Has its turn last for whoever joins, and knows how many it was of at most."""

    name = "host"
    most = 0

    def run(self, batch: Batch[Sing, Done]) -> None:
        guests = list(batch)
        while not batch.over:
            for work in guests:
                work.finish(Done(pid=1))
            guests = list(batch.join(4))
            self.most = max(self.most, len(list(batch)))


class Unlucky(Shift):
    """The next calls that stop clocks or start them again find no Redis; news of a cancellation may come before the claim it is of."""

    fails = 0
    unheard = 0
    overtaken: Queue | None = None
    heard: str | None = None

    async def resume(self, claims: Sequence[Claim]) -> None:
        self.fails -= 1
        if self.fails >= 0:
            raise StoreError("away")
        await super().resume(claims)

    async def park(self, claims: Sequence[Claim]) -> None:
        self.unheard -= bool(claims)
        if self.unheard >= 0:
            raise StoreError("away")
        await super().park(claims)

    async def claim(self, offers: Sequence[Offer], *, joined: str = "", batch: str = "") -> Begun:
        begun = await super().claim(offers, joined=joined, batch=batch)
        if begun.claims and self.overtaken:
            await self.overtaken.cancel(f"t-{begun.claims[0].id}")
            await wait_until(lambda: self.heard)
        return begun

    async def orders(self, seconds: float) -> str | None:
        self.heard = await super().orders(seconds)
        return self.heard


class Day:
    """A worker's day with both models on one device."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self.long, self.short = Long(), Short()
        models = [self.long, self.short]
        self.shift = Unlucky(redis, keys, "w", [offer(model) for model in models])
        device = Device(10, lambda _: Placement("cpu"))
        self.loop = Loop(models, self.shift, Blobs(redis, keys), device, max_drain=0.05)


@pytest.fixture
async def day(redis: Redis, keys: Keys, jobs: Jobs) -> AsyncIterator[Day]:
    day = Day(redis, keys)
    running = asyncio.create_task(day.loop.run())
    yield day
    day.long.enough.set()
    day.loop.stop()
    await running
    assert await day.loop.close()


async def test_a_long_turn_makes_room_for_another_model_and_goes_on(day: Day, jobs: Jobs) -> None:
    await jobs.submit(Sing(name="song"), person="a")
    await wait_until(lambda: day.long.turns)
    await jobs.submit(Beat(name="beat"), tenant="other", person="b")
    assert isinstance(await jobs.ended("beat"), Finished)
    await wait_until(lambda: len(day.long.turns) == 2)
    assert day.long.turns == [["song"], ["song"]]
    assert "song" in day.shift._held
    day.long.enough.set()
    assert isinstance(await jobs.ended("song"), Finished)


async def test_what_is_parked_goes_on_although_redis_was_away_just_then(day: Day, jobs: Jobs, redis: Redis, keys: Keys) -> None:
    day.shift.fails = 1
    await jobs.submit(Sing(name="song"), person="a")
    await wait_until(lambda: day.long.turns)
    await jobs.submit(Beat(name="beat"), tenant="other", person="b")
    await wait_until(lambda: len(day.long.turns) == 2)
    assert await redis.hget(keys.job("song"), "fence") == b"1", "it is the same run"
    day.long.enough.set()
    assert isinstance(await jobs.ended("song"), Finished)


async def test_the_clock_of_what_is_parked_stops_although_redis_was_away_just_then(day: Day, jobs: Jobs, redis: Redis, keys: Keys) -> None:
    day.shift.unheard = 1
    day.short.enough.clear()
    await jobs.submit(Sing(name="song"), person="a")
    await wait_until(lambda: day.long.turns)
    await jobs.submit(Beat(name="beat"), tenant="other", person="b")
    await wait_until(lambda: day.short.turns)
    assert await redis.hget(keys.job("song"), "parked") is not None
    day.short.enough.set()
    assert isinstance(await jobs.ended("beat"), Finished)


async def test_a_cancellation_that_overtakes_its_claim_is_not_lost(day: Day, jobs: Jobs) -> None:
    day.shift.overtaken = jobs.queue
    await jobs.submit(Sing(name="song"))
    await wait_until(lambda: day.long.turns)
    await wait_until(lambda: not day.shift._held)


async def test_what_is_parked_can_be_cancelled(day: Day, jobs: Jobs) -> None:
    day.short.enough.clear()
    await jobs.submit(Sing(name="song"), person="a")
    await wait_until(lambda: day.long.turns)
    await jobs.submit(Beat(name="beat"), tenant="other", person="b")
    await wait_until(lambda: day.short.turns)
    await jobs.queue.cancel("t-song")
    await wait_until(lambda: "song" not in day.shift._held)
    day.short.enough.set()
    assert isinstance(await jobs.ended("beat"), Finished)
    await wait_until(lambda: not day.shift._held)


async def test_a_stop_hands_back_what_is_parked(day: Day, jobs: Jobs, redis: Redis, keys: Keys) -> None:
    day.short.enough.clear()
    await jobs.submit(Sing(name="song"), person="a")
    await wait_until(lambda: day.long.turns)
    await jobs.submit(Beat(name="beat"), tenant="other", person="b")
    await wait_until(lambda: day.short.turns)
    day.loop.stop()
    day.short.enough.set()

    async def waits() -> bool:
        return await redis.hget(keys.job("song"), "state") == b"waiting"

    await wait_until(waits)


async def test_a_stop_during_a_load_hands_the_job_back_unbegun(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    loading, loaded = threading.Event(), threading.Event()

    class Slow(Short):
        def memory(self) -> Memory:
            return Memory(11)  # more than there is, so that it is not loaded at the start

        def load(self, placement: Placement) -> None:
            loading.set()
            loaded.wait(20)

    slow = Slow()
    shift = Shift(redis, keys, "w", [offer(slow)])
    loop = Loop([slow], shift, Blobs(redis, keys), Device(10, lambda _: Placement("cpu")), drain=20.0)
    running = asyncio.create_task(loop.run())
    await jobs.submit(Beat(name="beat"))
    await wait_until(loading.is_set)
    loop.stop()
    await running
    assert await redis.hget(keys.job("beat"), "state") == b"waiting"
    loaded.set()
    assert await loop.close()
    assert slow.turns == []


async def test_a_model_that_nobody_uses_leaves_and_comes_back(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    short = Short()
    device = Device(10, lambda _: Placement("cpu"))
    loop = Loop([short], Shift(redis, keys, "w", [offer(short)]), Blobs(redis, keys), device, idle_unload=0.05)
    running = asyncio.create_task(loop.run())
    for name in ("one", "two"):
        await jobs.submit(Beat(name=name))
        assert isinstance(await jobs.ended(name), Finished)
        await wait_until(lambda: not device.has(short))
    loop.stop()
    await running
    assert await loop.close()


async def test_the_heap_is_given_back_once_when_nothing_was_asked_for_a_while(
    redis: Redis, keys: Keys, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(heap, "give_back", lambda: given.append(threading.current_thread().name))
    now = 0.0
    device = Device(10, lambda _: Placement("cpu"), clock=lambda: now)
    short = Short()
    loop = Loop([short], Shift(redis, keys, "w", [offer(short)]), Blobs(redis, keys), device)
    rounds, wait = itertools.count(), loop._shift.wait
    seen = 0

    async def waits(wants: Sequence[str], seconds: float) -> None:
        nonlocal seen
        seen = next(rounds)
        await wait(wants, seconds)

    async def looks() -> None:
        before = seen
        loop._orders.called.set()
        await wait_until(lambda: seen > before)

    async def looked() -> None:
        """The worker has seen, from the beginning, that there is nothing to do."""
        await looks()
        await looks()

    monkeypatch.setattr(loop._shift, "wait", waits)
    running = asyncio.create_task(loop.run())
    for name in ("one", "two"):
        await jobs.submit(Beat(name=name))
        assert isinstance(await jobs.ended(name), Finished)
        await looked()
        assert len(given) == int(name == "two"), "who asks soon after does not pay for it"
        now += WAIT
        await looked()
        await looked()
        assert len(given) == (1 if name == "one" else 2), "and once is enough"
    loop.stop()
    await running
    assert await loop.close()
    assert all(name.startswith("model") for name in given)


async def test_a_turn_that_lasts_lets_go_of_those_who_have_ended(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    host, names = Host(), ["one", "two", "three", "four"]
    loop = Loop([host], Shift(redis, keys, "w", [offer(host)]), Blobs(redis, keys), Device(10, lambda _: Placement("cpu")), max_drain=0.0)
    running = asyncio.create_task(loop.run())
    for name in names:
        await jobs.submit(Beat(name=name))
        assert isinstance(await jobs.ended(name), Finished)
    loop.stop()
    await running
    assert await loop.close()
    assert host.most == 1


async def test_each_pays_for_what_it_took(day: Day, jobs: Jobs, redis: Redis, keys: Keys) -> None:
    began = time.monotonic()
    for name, tenant in {"one": "a", "two": "b"}.items():
        await jobs.submit(Sing(name=name), tenant=tenant)
    await wait_until(lambda: day.shift._held.keys() == {"one", "two"})
    day.long.enough.set()
    for name in ("one", "two"):
        await jobs.ended(name)
    took = time.monotonic() - began
    key = f"{keys.prefix}:credit:{day.shift.pool}"
    paid = [8.0 - float(await redis.zscore(key, tenant) or 0.0) for tenant in ("a", "b")]
    assert 0 < sum(paid) < took + 0.1


def test_a_second_is_split_among_those_who_are_active_in_it() -> None:
    now = 0.0
    meter = Meter(lambda: now)
    meter.begin("a")
    now = 1.0
    meter.begin("b")
    now = 3.0
    assert meter.end("a") == 2.0
    now = 7.0
    meter.begin("b")
    assert (meter.end("b"), meter.end("b"), meter.end("nobody")) == (5.0, 0.0, 0.0)
