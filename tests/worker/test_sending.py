"""What models hand in reaches the queue, or its job fails: results are the plugins', and may hold what no wire takes."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis

from bot.jobs import Result, TextSoFar
from bot.models import Batch, Memory, Model, Placement
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.queue import Broken
from bot.store.shifts import Shift
from bot.worker.device import Device
from bot.worker.loop import Loop
from bot.worker.offers import offer
from tests.worker.conftest import Jobs
from tests.worker.drill import Beat

HALF = {"half of a letter": "\ud800"}


class LooseEnd(Result):
    """Holds anything."""

    held: dict[str, Any]


class Careless(Model[Beat, LooseEnd]):
    """Shows and hands in what cannot be sent."""

    name = "careless"
    job = Beat

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None: ...

    def unload(self) -> None: ...

    def run(self, batch: Batch[Beat, LooseEnd]) -> None:
        for work in batch:
            work.emit(TextSoFar.model_construct(text=HALF["half of a letter"]))
            work.finish(LooseEnd(held=HALF))


async def test_a_result_that_cannot_be_sent_fails_its_job(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    model = Careless()
    shift = Shift(redis, keys, "w", [offer(model)])
    loop = Loop([model], shift, Blobs(redis, keys), Device(10, lambda _: Placement("cpu")))
    running = asyncio.create_task(loop.run())
    for name in ("one", "two"):  # what was going wrong with one does not keep the worker from the next
        await jobs.submit(Beat(name=name))
        ended = await jobs.ended(name)
        assert isinstance(ended, Broken) and "cannot be sent" in str(ended.error)
    loop.stop()
    await running
    assert await loop.close()
