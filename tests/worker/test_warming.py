"""What a worker has in memory before anybody needs it: in the order of its models, and behind whoever waits already."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from bot.models import Batch, Memory, Model, Placement
from bot.store.blobs import Blobs
from bot.store.duty import UNLOAD, Duty, Leave
from bot.store.keys import Keys
from bot.store.queue import Finished
from bot.store.shifts import Shift
from bot.testing import wait_until
from bot.worker.device import Device
from bot.worker.loop import Loop
from bot.worker.offers import offer
from tests.worker.conftest import Jobs
from tests.worker.drill import Beat, Done, Sing


class Plain(Model[Any, Done]):
    """Notes its loads; the first of one that is `slow` takes until `up`."""

    def __init__(self, name: str, job: type[Beat], did: list[str], size: int = 1, *, slow: bool = False, concurrency: int = 0) -> None:
        self.name, self.job, self.concurrency = name, job, concurrency
        self.up = threading.Event()
        self._did, self._size = did, size
        if not slow:
            self.up.set()

    def memory(self) -> Memory:
        return Memory(self._size)

    def load(self, placement: Placement) -> None:
        self._did.append(f"load {self.name}")
        self.up.wait(30)

    def unload(self) -> None: ...

    def run(self, batch: Batch[Any, Done]) -> None:
        for work in batch:
            self._did.append(work.job.name)
            work.finish(Done(pid=1))


@asynccontextmanager
async def working(redis: Redis, keys: Keys, *models: Plain) -> AsyncIterator[Loop]:
    """A worker in this process, whose device has room for two."""
    shift = Shift(redis, keys, "w", [offer(model) for model in models])
    loop = Loop(models, shift, Blobs(redis, keys), Device(2, lambda _: Placement("cpu")))
    running = asyncio.create_task(loop.run())
    yield loop
    loop.stop()
    await running
    assert await loop.close()


async def test_models_are_loaded_in_their_order_while_they_fit_wherever_their_work_is_done(redis: Redis, keys: Keys) -> None:
    did: list[str] = []
    models = [Plain("server", Beat, did, concurrency=2), Plain("large", Beat, did, size=3), Plain("b", Sing, did), Plain("c", Sing, did)]
    async with working(redis, keys, *models) as loop:
        await wait_until(lambda: len(did) == 2 and not loop._cold)
    assert did == ["load server", "load b"]


async def test_who_waits_at_the_start_waits_for_no_other_model(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    did: list[str] = []
    await jobs.submit(Sing(name="song"))
    async with working(redis, keys, Plain("a", Beat, did), Plain("b", Sing, did)):
        assert isinstance(await jobs.ended("song"), Finished)
        await wait_until(lambda: len(did) == 3)
    assert did == ["load b", "song", "load a"]


async def test_who_comes_while_a_model_is_loaded_waits_for_that_one_alone(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    did: list[str] = []
    slow = Plain("slow", Beat, did, slow=True)
    async with working(redis, keys, slow, Plain("other", Beat, did), Plain("b", Sing, did)):
        await wait_until(lambda: did)
        await jobs.submit(Sing(name="song"))
        slow.up.set()
        assert isinstance(await jobs.ended("song"), Finished)
    assert did[:3] == ["load slow", "load b", "song"]


async def test_who_comes_after_a_pause_that_ended_by_itself_waits_for_one_load_alone(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    did: list[str] = []
    slow, duty = Plain("slow", Beat, did, slow=True), Duty(redis, keys)
    await duty.order(["w"], Leave("pause", time.time() + 0.5))
    async with working(redis, keys, slow, Plain("other", Beat, did), Plain("b", Sing, did)) as loop:
        await loop._orders.attend()
        assert loop._orders.paused.is_set() and not did
        await wait_until(lambda: did)
        await jobs.submit(Sing(name="song"))
        slow.up.set()
        assert isinstance(await jobs.ended("song"), Finished)
    await duty.resume(["w"])
    assert did[:3] == ["load slow", "load b", "song"]


async def test_a_model_that_the_operator_unloads_before_its_time_came_is_not_loaded_a_moment_later(redis: Redis, keys: Keys) -> None:
    did: list[str] = []
    slow = Plain("slow", Beat, did, slow=True)
    async with working(redis, keys, slow, Plain("b", Sing, did), Plain("c", Sing, did)) as loop:
        await wait_until(lambda: did)
        await redis.rpush(keys.orders("w"), f"{UNLOAD}b")
        await wait_until(lambda: loop._orders.wishes)
        slow.up.set()
        await wait_until(lambda: len(did) == 2)
    assert did == ["load slow", "load c"]
