"""What becomes of cancelled jobs inside a worker: they end quietly, beside others that go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.models import Batch, Memory, Model, Placement
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.queue import Finished
from bot.store.shifts import Shift
from bot.testing import wait_until
from bot.worker.device import Device
from bot.worker.loop import Loop
from bot.worker.offers import offer
from tests.worker.conftest import Jobs
from tests.worker.drill import Done, Sing


class Pair(Model[Sing, Done]):
    """Sings two songs until the first is cancelled, leaves that one without a word, then does as it is told."""

    name = "pair"
    job = Sing
    max_batch = 2

    def __init__(self, after: Callable[[Batch[Sing, Done]], None]) -> None:
        self.singing = threading.Event()
        self._after = after

    def memory(self) -> Memory:
        return Memory(1)

    def load(self, placement: Placement) -> None: ...

    def unload(self) -> None: ...

    def run(self, batch: Batch[Sing, Done]) -> None:
        self.singing.set()
        cancelled = threading.Event()
        while not any(work.cancelled for work in batch):
            cancelled.wait(0.005)
        self._after(batch)


def finish(batch: Batch[Sing, Done]) -> None:
    for work in batch:
        if not work.cancelled:
            work.finish(Done(pid=1))


def cough(batch: Batch[Sing, Done]) -> None:
    finish(batch)
    raise RuntimeError("a cough")


@pytest.mark.parametrize(("after", "faults"), [(finish, []), (cough, ["a turn failed"])])
async def test_a_cancelled_job_is_no_fault(
    jobs: Jobs, redis: Redis, keys: Keys, after: Callable[[Batch[Sing, Done]], None], faults: list[str]
) -> None:
    model = Pair(after)
    shift = Shift(redis, keys, "w", [offer(model)])
    loop = Loop([model], shift, Blobs(redis, keys), Device(10, lambda _: Placement("cpu")))
    await jobs.submit(Sing(name="dropped"))
    await jobs.submit(Sing(name="kept"))
    with capture_logs() as log:
        running = asyncio.create_task(loop.run())
        await wait_until(model.singing.is_set)
        await jobs.queue.cancel("t-dropped")
        assert isinstance(await jobs.ended("kept"), Finished)
        await wait_until(lambda: not shift._held)
        loop.stop()
        await running
    assert await loop.close()
    assert [entry["event"] for entry in log if entry["log_level"] == "error"] == faults
    assert [entry["job"] for entry in log if entry["event"] == "a job was cancelled"] == ["dropped"]
