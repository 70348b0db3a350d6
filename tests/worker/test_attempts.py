"""Memory that runs out and devices that are lost: what is tried again, what fails, and what a worker does not survive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from bot.errors import JobFailed
from bot.exits import LOST
from bot.models import Batch, Memory, Model, Placement
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.queue import Broken, Finished, Update
from bot.store.shifts import Shift
from bot.testing import wait_until
from bot.worker.device import Device
from bot.worker.diagnosis import Ailment, diagnose
from bot.worker.loop import Loop
from bot.worker.offers import offer
from tests.worker.conftest import Jobs, Log, Start
from tests.worker.drill import Beat, Done, Sing

Serving = Callable[..., Awaitable[None]]

ASSERT = "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported"


def beside(update: Update) -> int:
    assert isinstance(update, Finished), update
    return Done.model_validate_json(update.result).beside


@pytest.mark.parametrize(
    ("error", "ailment"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB."), "memory"),
        (RuntimeError("CUDA failed with error out of memory"), "memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried to"), "memory"),
        (OSError(12, "Cannot allocate memory"), "memory"),
        (RuntimeError(ASSERT), "device"),
        (RuntimeError("CUDA failed with error an illegal memory access was encountered"), "device"),
        (RuntimeError("cuBLAS failed with status CUBLAS_STATUS_EXECUTION_FAILED"), "device"),
        (RuntimeError("Triton Error [CUDA]: an illegal memory access was encountered"), "device"),
        (RuntimeError("cannot draw 'a device-side assert'"), "job"),
        (RuntimeError("CUDA error: invalid device ordinal"), "job"),
        (ValueError("out of memory"), "job"),
    ],
)
def test_an_error_says_what_ails(error: Exception, ailment: Ailment) -> None:
    assert diagnose(error) == ailment


def test_torchs_own_errors_are_known_and_so_is_what_an_error_was_raised_from() -> None:
    import torch

    assert diagnose(torch.OutOfMemoryError("…")) == "memory"
    with pytest.raises(RuntimeError) as found:
        torch.empty(1 << 60)
    assert diagnose(found.value) == "memory"
    try:
        try:
            raise MemoryError
        except MemoryError as error:
            raise ValueError("no picture") from error
    except ValueError as error:
        assert diagnose(error) == "memory"


class Narrow(Model[Sing, Done]):
    """Runs out of memory in its first loads and steps, as many as it is told; `short` is what it says then."""

    name = "narrow"
    job = Sing
    max_batch = 4

    def __init__(self, *, loads: int = 0, steps: int = 0) -> None:
        self.did: list[str] = []
        self._loads, self._steps = loads, steps

    def memory(self) -> Memory:
        return Memory(1)

    def load(self, placement: Placement) -> None:
        self.did.append("load")
        self._loads -= 1
        if self._loads >= 0:
            raise MemoryError

    def unload(self) -> None:
        self.did.append("unload")

    def run(self, batch: Batch[Sing, Done]) -> None:
        self.did.append("".join(work.job.name for work in batch))
        self._steps -= 1
        if self._steps >= 0:
            raise MemoryError
        for work in batch:
            work.finish(Done(pid=1))


class Other(Narrow):
    """Is in the way."""

    name = "other"
    job = Beat  # type: ignore[assignment]


@asynccontextmanager
async def working(redis: Redis, keys: Keys, *models: Narrow) -> AsyncIterator[None]:
    """A worker in this process, which has loaded all of them."""
    shift = Shift(redis, keys, "w", [offer(model) for model in models])
    loop = Loop(models, shift, Blobs(redis, keys), Device(10, lambda _: Placement("cpu")))
    while loop._cold:
        loop._device.warm(loop._cold.popleft())
    running = asyncio.create_task(loop.run())
    yield
    loop.stop()
    await running
    assert await loop.close()


async def test_a_load_that_runs_out_of_memory_clears_the_device_and_is_tried_once_more(jobs: Jobs, redis: Redis, keys: Keys) -> None:
    model, other = Narrow(loads=2), Other()
    await jobs.submit(Sing(name="a"))
    async with working(redis, keys, model, other):
        assert isinstance(await jobs.ended("a"), Finished)
    assert model.did == ["load", "unload", "load", "unload", "load", "a"], "the first load was the one at the start"
    assert other.did == ["load", "unload"]


async def test_a_step_that_runs_out_of_memory_is_tried_again_without_the_others_and_then_in_halves(
    jobs: Jobs, redis: Redis, keys: Keys
) -> None:
    model, other = Narrow(steps=3), Other()
    for name in "abcd":
        await jobs.submit(Sing(name=name))
    async with working(redis, keys, model, other):
        for name in "abcd":
            assert isinstance(await jobs.ended(name), Finished)
    assert model.did == ["load", "abcd", "abcd", "ab", "a", "b", "cd"]
    assert other.did == ["load", "unload"]


async def test_only_the_job_that_does_not_fit_alone_fails(jobs: Jobs, start: Start, log: Log) -> None:
    for name, needs in {"1": 1, "2": 1, "3": 9, "4": 1}.items():
        await jobs.submit(Sing(name=name, needs=needs))
    process = start(models=["choir"])
    end = await jobs.ended("3")
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobFailed)
    assert "out of memory" in str(end.error)
    for name in "124":
        assert isinstance(await jobs.ended(name), Finished)
    assert log.names().count("3") >= 2, "it was tried alone"
    assert {pid for _, pid in log.runs()} == {process.pid}


async def test_a_lost_device_ends_the_worker_and_what_ran_runs_again_alone(jobs: Jobs, start: Start, log: Log, serving: Serving) -> None:
    hold = jobs.hold("song")
    victim = start(60.0)  # longer than anybody waits here: leases do not lapse, they are given up
    await serving(1)
    await jobs.submit(Sing(name="song", hold=str(hold)))
    await wait_until(log.runs)
    await jobs.submit(Sing(name="cough", hold=str(hold), fault=ASSERT))
    assert await asyncio.to_thread(victim.wait, 20) == LOST
    hold.unlink()
    start(60.0)
    assert [beside(await jobs.ended(name)) for name in ("song", "cough")] == [0, 0]
    assert sorted(log.names()) == ["cough", "cough", "song", "song"]
