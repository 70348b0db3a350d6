"""The time that jobs have: who has used it up is given up, and the worker goes on; what nobody waits for is let go of between two steps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.errors import JobTimedOut
from bot.models import Model, Placement
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.queue import Broken, Finished, Update
from bot.store.shifts import Shift
from bot.testing import wait_until
from bot.worker import clocks
from bot.worker.clocks import Clock
from bot.worker.device import Device
from bot.worker.loop import Loop
from bot.worker.offers import offer
from tests.worker.conftest import Jobs
from tests.worker.drill import Beat, Choir, Done, Drum, Sing
from tests.worker.endpoint import Ask, Endpoint, Server

BRIEF = 0.99
"""What jobs of a minute have to spare here: they are given up after 0.6 s."""


@pytest.fixture(autouse=True)
def note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DRILL_LOG", os.fspath(tmp_path / "drill.log"))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


@asynccontextmanager
async def working(redis: Redis, keys: Keys, model: Model[Any, Any]) -> AsyncIterator[tuple[Loop, Shift]]:
    """A worker in this process; nobody ends it for a job that goes on."""
    shift = Shift(redis, keys, "w", [offer(model)])
    loop = Loop([model], shift, Blobs(redis, keys), Device(10, lambda _: Placement("cpu")))
    running = asyncio.create_task(loop.run())
    yield loop, shift
    loop.stop()
    await running
    assert await loop.close()


def late(update: Update) -> bool:
    return isinstance(update, Broken) and type(update.error) is JobTimedOut


def test_a_clock_counts_down_to_what_is_spare_and_stands_still_while_its_job_is_parked() -> None:
    now = [100.0]
    clock = Clock(600.0, lambda: now[0])
    assert clock.left == pytest.approx(570.0)
    now[0] += 70.0
    clock.stop()
    now[0] += 1000.0
    assert clock.left == pytest.approx(500.0)
    clock.go_on()
    now[0] += 501.0
    assert clock.left == pytest.approx(-1.0)


async def test_a_job_that_has_used_up_its_time_is_given_up_and_its_worker_goes_on(
    jobs: Jobs, redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "SPARE", BRIEF)
    hold = jobs.hold("late")
    await jobs.submit(Beat(name="late", hold=str(hold)))
    async with working(redis, keys, Drum()) as (_, shift):
        assert late(await jobs.ended("late"))
        await jobs.submit(Beat(name="next"))
        assert isinstance(await jobs.ended("next"), Finished)
        await wait_until(lambda: not shift.holding)


async def test_a_server_that_never_ends_is_hung_up_on_and_its_place_is_free_again(
    jobs: Jobs, redis: Redis, keys: Keys, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "SPARE", BRIEF)
    hold = jobs.hold("late")
    for name in "abc":
        await jobs.submit(Ask(name=name, hold=str(hold)))
    async with working(redis, keys, Endpoint(server.url)):
        assert [late(await jobs.ended(name)) for name in "abc"] == [True] * 3
        await wait_until(lambda: sorted(server.hung_up) == ["a", "b", "c"])
        await jobs.submit(Ask(name="next"))
        assert isinstance(await jobs.ended("next"), Finished)


async def test_what_nobody_waits_for_is_let_go_of_though_the_turn_goes_on_for_others(jobs: Jobs, redis: Redis, keys: Keys) -> None:
    class Heedless(Choir):
        """Leaves cancelled songs without a word, as a model may."""

        def run(self, batch: Any) -> None:
            active = list(batch)
            while active:
                active = [work for work in [*active, *batch.join(4 - len(active))] if not work.cancelled]
                for work in [work for work in active if not Path(work.job.hold).exists()]:
                    active.remove(work)
                    work.finish(Done(pid=os.getpid()))

    hold = jobs.hold("all")
    for name in ("kept", "cut"):
        await jobs.submit(Sing(name=name, hold=str(hold)))
    async with working(redis, keys, Heedless()) as (loop, shift):
        await wait_until(lambda: len(loop._meter._active) == 2)
        await jobs.queue.cancel("t-cut")
        await wait_until(lambda: list(shift._held) == ["kept"])
        assert list(loop._meter._active) == ["kept"], "it takes no part of the seconds any more"
        assert loop._open is not None and len(loop._open.turn.works) == 1
        hold.unlink()
        assert isinstance(await jobs.ended("kept"), Finished)


async def test_a_load_is_told_how_long_who_waits_for_it_does(jobs: Jobs, redis: Redis, keys: Keys) -> None:
    told: list[float] = []

    class Careful(Drum):
        def load(self, placement: Placement) -> None:
            told.append(placement.seconds)

    async with working(redis, keys, Careful()) as (loop, _):
        await wait_until(lambda: told)
        await loop._thread.begin(loop._device.free)
        await jobs.submit(Beat(name="1"))
        assert isinstance(await jobs.ended("1"), Finished)
    assert told[0] == float("inf"), "at the start nobody waits"
    assert Beat.timeout - 10 < told[1] < Beat.timeout
