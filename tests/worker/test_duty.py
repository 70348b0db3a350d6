"""Workers that the operator sends off duty: what runs makes room, the memory is free, nothing is lost, and all goes on afterwards."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from redis.asyncio import Redis

from bot.jobs import shape
from bot.models import Batch, Placement
from bot.store.blobs import Blobs
from bot.store.duty import ALL, Duty, Leave, leave, written
from bot.store.keys import Keys
from bot.store.queue import Finished
from bot.store.shifts import Shift
from bot.testing import wait_until
from bot.worker import loop as looping
from bot.worker.device import Device
from bot.worker.hours import Hours, ending
from bot.worker.loop import Loop
from bot.worker.offers import offer
from tests.worker.conftest import Jobs
from tests.worker.drill import Done, Sing
from tests.worker.test_turns import Long

PAUSE, DRAIN = Leave("pause"), Leave("drain")


class Stubborn(Long):
    """Cannot be parked; it looks now and then whether anybody waits still."""

    parks = False

    def run(self, batch: Batch[Sing, Done]) -> None:
        self.turns.append([work.job.name for work in batch])
        while not self.enough.wait(0.005):
            if all(work.cancelled for work in batch):
                return
        for work in batch:
            work.finish(Done(pid=1))


class Day:
    """A worker's day with one model."""

    def __init__(self, redis: Redis, keys: Keys, model: Long, *, name: str = "desk", owns: bool = True) -> None:
        self.model = model
        self.duty = Duty(redis, keys)
        served = replace(offer(model), schema=shape(model.job))
        self.shift = Shift(redis, keys, f"{name}.1", [served], name=name, owns=owns)
        self.device = Device(10, lambda _: Placement("cpu"))
        self.loop = Loop([model], self.shift, Blobs(redis, keys), self.device)

    async def free(self) -> None:
        await wait_until(lambda: not self.device.resident)


@asynccontextmanager
async def day(redis: Redis, keys: Keys, model: Long, **what: object) -> AsyncIterator[Day]:
    one = Day(redis, keys, model, **what)  # type: ignore[arg-type]
    await one.shift.renew()
    running = asyncio.create_task(one.loop.run())
    yield one
    model.enough.set()
    one.loop.stop()
    await running
    await one.loop.close()
    await one.shift.sign_off()
    await redis.delete(keys.duty())


async def _told(redis: Redis, keys: Keys) -> bool:
    return await redis.hgetall(keys.worker("desk.1")) == {b"resident": b"{}"}


async def test_a_model_is_unloaded_and_loaded_as_the_operator_wishes(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    async with day(redis, keys, Long()) as at:
        await wait_until(lambda: at.device.has(at.model))
        await at.duty.wish("another", at.model.name, loaded=False)
        await at.duty.wish("desk", at.model.name, loaded=False)
        await at.free()
        await wait_until(lambda: _told(redis, keys))
        await at.duty.wish("desk", at.model.name, loaded=True)
        await wait_until(lambda: at.device.has(at.model))
        await jobs.submit(Sing(name="1"))
        await wait_until(lambda: at.model.turns == [["1"]])
        await at.duty.wish("desk", at.model.name, loaded=False)
        at.model.enough.set()
        assert isinstance(await jobs.ended("1"), Finished), "what runs is not disturbed"
        await at.free()


@pytest.mark.alone
@pytest.mark.parametrize("model", [Long, Stubborn])
async def test_a_pause_frees_the_memory_at_once_and_what_ran_goes_on_afterwards(
    redis: Redis, keys: Keys, jobs: Jobs, model: type[Long], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looping, "YIELD", 0.3)
    async with day(redis, keys, model()) as at:
        await wait_until(lambda: at.device.has(at.model))  # who waits for a load pays for it, and would come second afterwards
        await jobs.submit(Sing(name="1"))
        await wait_until(lambda: at.model.turns == [["1"]])
        await at.duty.order([ALL], PAUSE)
        began = time.monotonic()
        await at.free()
        assert time.monotonic() - began < 2.0
        assert await redis.hget(keys.job("1"), "state") == b"waiting"
        await jobs.submit(Sing(name="2"))
        await wait_until(lambda: _told(redis, keys))
        await at.duty.resume([ALL])
        await wait_until(lambda: [name for turn in at.model.turns[1:] for name in turn][:1] == ["1"])
        at.model.enough.set()
        assert isinstance(await jobs.ended("1"), Finished)
        assert isinstance(await jobs.ended("2"), Finished)


async def test_a_pause_ends_by_itself_and_a_worker_that_starts_meanwhile_loads_nothing(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    duty = Duty(redis, keys)
    await duty.order(["desk"], Leave("pause", time.time() + 0.6))
    async with day(redis, keys, Long()) as at:
        at.model.enough.set()
        await jobs.submit(Sing(name="1"))
        assert at.device.resident == {}
        assert isinstance(await jobs.ended("1"), Finished)
        assert at.device.resident == {"long": 1}


async def test_when_a_pause_has_ended_by_itself_a_job_is_handed_out_once(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    async with day(redis, keys, Long()) as at:
        await at.duty.order(["desk"], Leave("pause", time.time() + 0.5))
        await wait_until(lambda: at.loop._orders.paused.is_set())
        await jobs.submit(Sing(name="1"))
        await wait_until(lambda: at.model.turns)
        assert await redis.hget(keys.job("1"), "fence") == b"1", "no worker gave it back"
        at.model.enough.set()
        assert isinstance(await jobs.ended("1"), Finished)
        assert at.model.turns == [["1"]]


async def test_a_drained_worker_ends_what_it_runs_and_takes_nothing_new(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    async with day(redis, keys, Stubborn()) as at:
        await jobs.submit(Sing(name="1"))
        await wait_until(lambda: at.model.turns)
        await at.duty.order(["desk"], DRAIN)
        await jobs.submit(Sing(name="2"))
        at.model.enough.set()
        assert isinstance(await jobs.ended("1"), Finished)
        begun = await at.shift.claim([offer(at.model)])
        assert (begun.claims, begun.off) == ([], True)
        assert at.device.resident == {"long": 1}, "a drain says nothing of the memory"
        await at.duty.resume(["desk"])
        assert isinstance(await jobs.ended("2"), Finished)


async def test_who_owns_no_device_works_on_while_the_operator_has_the_devices(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    async with day(redis, keys, Long(), name="remote", owns=False) as at:
        at.model.enough.set()
        await at.duty.order([ALL], PAUSE)
        await jobs.submit(Sing(name="1"))
        assert isinstance(await jobs.ended("1"), Finished)
        await at.duty.order(["remote"], PAUSE)
        await at.free()


async def test_a_model_that_does_not_let_go_ends_its_worker(redis: Redis, keys: Keys, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looping, "YIELD", 0.1)

    class Deaf(Stubborn):
        def run(self, batch: Batch[Sing, Done]) -> None:
            self.turns.append([])
            self.enough.wait(10)

    async with day(redis, keys, Deaf()) as at:
        await jobs.submit(Sing(name="1"))
        await wait_until(lambda: at.model.turns)
        await at.duty.order(["desk"], PAUSE)
        await wait_until(lambda: at.loop.lost)
        assert await redis.hget(keys.job("1"), "state") == b"waiting", "it was handed back before"


async def test_a_pause_while_a_worker_starts_does_not_wait_for_what_it_loads(
    redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looping, "YIELD", 0.1)

    class Heavy(Long):
        def load(self, placement: Placement) -> None:
            self.turns.append(["loads"])
            self.enough.wait(10)

    async with day(redis, keys, Heavy()) as at:
        await wait_until(lambda: at.model.turns)
        await at.duty.order([ALL], PAUSE)
        await wait_until(lambda: at.loop.lost, 3.0)


async def test_a_load_that_finds_the_device_lost_in_a_pause_ends_its_worker(redis: Redis, keys: Keys) -> None:
    class Broken(Long):
        def load(self, placement: Placement) -> None:
            self.turns.append(["loads"])
            self.enough.wait(10)
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    async with day(redis, keys, Broken()) as at:
        await wait_until(lambda: at.model.turns)
        await at.duty.order([ALL], PAUSE)
        await wait_until(lambda: at.loop._thread._threads._work_queue.qsize())  # nobody waits for the load any more
        at.model.enough.set()
        await wait_until(lambda: at.loop.lost, 3.0)


async def test_what_the_operator_wishes_in_a_pause_is_done_after_it(redis: Redis, keys: Keys) -> None:
    async with day(redis, keys, Long()) as at:
        await wait_until(lambda: at.device.has(at.model))
        await at.duty.order(["desk"], Leave("pause", time.time() + 0.8))
        await at.free()
        await at.duty.wish("desk", at.model.name, loaded=True)
        await wait_until(lambda: at.device.has(at.model))


async def test_what_is_ordered_of_all_and_of_one_holds_until_it_is_over_or_taken_back(redis: Redis, keys: Keys) -> None:
    duty = Duty(redis, keys)
    now = (await redis.time())[0]
    await duty.order([ALL], Leave("pause", now + 60.0))
    await duty.quiet("desk", now + 90.0)
    await duty.order(["shed"], DRAIN)
    assert await duty.leave("desk", True) == Leave("pause", now + 90.0)
    assert await duty.leave("shed", True) == Leave("pause", now + 60.0)
    assert await duty.leave("shed", False) == DRAIN
    await duty.resume([ALL])
    assert await duty.orders() == {"shed": written(DRAIN)}
    assert leave({"desk": written(Leave("pause", now - 1.0))}, "desk", True, now) is None
    await duty.resume(["shed"])
    assert await duty.orders() == {}


def test_quiet_hours_go_over_midnight() -> None:
    spans = ["22:00-07:00", "12:00-13:00"]
    night = [datetime(2026, 3, 1, 23, 30), datetime(2026, 3, 2, 6, 59)]
    assert {ending(spans, now) for now in night} == {datetime(2026, 3, 2, 7)}
    assert ending(spans, datetime(2026, 3, 2, 12)) == datetime(2026, 3, 2, 13)
    assert ending(spans, datetime(2026, 3, 2, 13)) is None
    assert math.isinf(DRAIN.until)


async def test_quiet_hours_send_a_worker_off_duty_once(redis: Redis, keys: Keys) -> None:
    shift = Shift(redis, keys, "desk.1", [], name="desk")
    hours = Hours(["00:00-12:00", "12:00-00:00"], [shift])
    await hours.look()
    taken = await shift.leave()
    assert taken is not None
    assert (taken.off, 0.0 < taken.until - time.time() <= 43_200.0) == ("pause", True)
    await Duty(redis, keys).resume([ALL])
    await hours.look()
    assert await shift.leave() is None, "the operator has ended them early"
