"""What models say reaches the queue: results, or that their job failed, since they may hold what no wire takes; of partials the newest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.errors import StoreError
from bot.jobs import Partial, Preview, Progress, Result, TextSoFar
from bot.messages import Blob
from bot.models import Batch, Memory, Model, Placement
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.queue import Broken, Finished, Shown, Update
from bot.store.shifts import Claim, Shift
from bot.testing import wait_until
from bot.worker.device import Device
from bot.worker.loop import Loop
from bot.worker.offers import offer
from tests.worker.conftest import Jobs
from tests.worker.drill import STEP, Beat, Done

HALF = {"half of a letter": "\ud800"}

TALE = ("one", "two", "three")


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


@asynccontextmanager
async def at_work(redis: Redis, keys: Keys, model: Model[Any, Any]) -> AsyncIterator[None]:
    """A worker's loop with this model."""
    shift = Shift(redis, keys, "w", [offer(model)])
    loop = Loop([model], shift, Blobs(redis, keys), Device(10, lambda _: Placement("cpu")))
    running = asyncio.create_task(loop.run())
    yield
    loop.stop()
    await running
    assert await loop.close()


class Painter(Model[Beat, Done]):
    """Says how far it is and what it looks like so far, all at once, and then works on while somebody looks."""

    name = "painter"
    job = Beat

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None: ...

    def unload(self) -> None: ...

    def run(self, batch: Batch[Beat, Done]) -> None:
        for work in batch:
            for step in range(1, 10):
                work.emit(Preview(image=Blob(f"{step}", "image/jpeg", 1)))
                work.emit(Progress(done=step, total=99, unit="steps"))
            while Path(work.job.hold).exists():
                time.sleep(STEP)
            work.finish(Done(pid=0))


class Teller(Model[Beat, Done]):
    """Tells all who ask the same, and goes on with each word once the file says that the one before was seen."""

    name = "teller"
    job = Beat
    max_batch = 2

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None: ...

    def unload(self) -> None: ...

    def run(self, batch: Batch[Beat, Done]) -> None:
        works = list(batch)
        seen = Path(works[0].job.hold)
        for word in TALE:
            for work in works:
                work.emit(TextSoFar(text=word))
            while seen.read_text() != word:
                time.sleep(STEP)
        for work in works:
            work.finish(Done(pid=0))


async def heard(jobs: Jobs, id: str, seen: Path) -> AsyncIterator[str]:
    """The words of a job, each of which lets the next be said."""
    let = seen.write_text
    async with asyncio.timeout(20.0):
        async for update in jobs.queue.follow(id):
            if isinstance(update, Shown) and isinstance(update.partial, TextSoFar):
                yield update.partial.text
                let(update.partial.text)


async def test_words_are_sent_as_they_come_but_none_before_the_chat_can_show_them(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    seen = jobs.hold("tale")
    await jobs.submit(Beat(name="quick", hold=str(seen)))
    await jobs.submit(Beat(name="slow", hold=str(seen)), pace=3600.0)

    async def followed() -> list[Update]:
        return [update async for update in jobs.queue.follow("slow")]

    following = asyncio.create_task(followed())  # of what has ended nothing but its end is left
    async with at_work(redis, keys, Teller()):
        assert tuple([word async for word in heard(jobs, "quick", seen)]) == TALE
        said = await following
    assert [update.partial for update in said if isinstance(update, Shown)] == [TextSoFar(text=TALE[0])]
    assert isinstance(said[-1], Finished), "the result does not wait"


async def test_a_result_that_cannot_be_sent_fails_its_job(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    async with at_work(redis, keys, Careless()):
        for name in ("one", "two"):  # what was going wrong with one does not keep the worker from the next
            await jobs.submit(Beat(name=name))
            ended = await jobs.ended(name)
            assert isinstance(ended, Broken) and "cannot be sent" in str(ended.error)


async def test_the_newest_preview_is_shown_though_progress_was_told_right_after_it(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    async with at_work(redis, keys, Painter()):
        hold = jobs.hold("one")
        await jobs.submit(Beat(name="one", hold=str(hold)))
        shown: list[Partial] = []
        async with asyncio.timeout(20.0):
            async for update in jobs.queue.follow("one"):
                shown += [update.partial] if isinstance(update, Shown) else []
                if shown[-1:] == [Progress(done=9, total=99, unit="steps")]:
                    hold.unlink(missing_ok=True)
    assert Preview(image=Blob("9", "image/jpeg", 1)) in shown
    assert len(shown) < 18, "what came too fast is left out"


class Stammer(Careless):
    """Shows again and again what cannot be sent, while the job's file is there."""

    name = "stammer"

    def run(self, batch: Batch[Beat, Any]) -> None:
        for work in batch:
            while Path(work.job.hold).exists():
                work.emit(TextSoFar.model_construct(text=HALF["half of a letter"]))
                time.sleep(STEP)
            work.finish(Done(pid=0))


@pytest.mark.parametrize("fault", ["Redis does not answer", ""])
async def test_an_answer_that_cannot_be_shown_as_it_grows_is_one_warning_and_no_flood_of_them(
    redis: Redis, keys: Keys, jobs: Jobs, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit = AsyncMock(side_effect=StoreError(fault))
    if fault:
        monkeypatch.setattr(Shift, "emit_all", emit)
        monkeypatch.setitem(HALF, "half of a letter", "whole")

    with capture_logs() as log:
        async with at_work(redis, keys, Stammer()):
            for name in ("one", "two"):
                hold = jobs.hold(name)
                await jobs.submit(Beat(name=name, hold=str(hold)))
                await wait_until(partial(several, log, name))
                hold.unlink()
                assert isinstance(await jobs.ended(name), Finished)
    one, two = (unsent(log, name) for name in ("one", "two"))
    assert [said["log_level"] for said in one] == ["warning", *["debug"] * (len(one) - 1)]
    assert {said["log_level"] for said in two} == {"debug"}, "it was said a moment ago"
    assert ("look after Redis" if fault else "tell the plugin's author") in one[0]["event"]


async def test_a_fault_of_ours_in_one_moment_ends_no_partials_and_is_said(
    redis: Redis, keys: Keys, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit, sent = Shift.emit_all, 0

    async def once_too_few(shift: Shift, partials: Sequence[tuple[Claim, str]]) -> list[bool]:
        nonlocal sent
        sent += 1
        return await emit(shift, partials) if sent > 1 else []

    monkeypatch.setattr(Shift, "emit_all", once_too_few)
    monkeypatch.setitem(HALF, "half of a letter", "whole")
    with capture_logs() as log:
        async with at_work(redis, keys, Stammer()):
            hold = jobs.hold("one")
            await jobs.submit(Beat(name="one", hold=str(hold)))
            try:
                async with asyncio.timeout(5.0):
                    await anext(update async for update in jobs.queue.follow("one") if isinstance(update, Shown))
            finally:
                hold.unlink()
            assert isinstance(await jobs.ended("one"), Finished)
    [said] = [said for said in log if "please report this" in said["event"]]
    assert isinstance(said["exc_info"], ValueError)


def test_a_router_that_says_no_pace_is_as_one_that_knows_of_none() -> None:
    paces = [Claim("j", 1, body, "", 1.0, False).pace for body in ({}, {"pace": None}, {"pace": 2})]
    assert paces == [0.0, 0.0, 2.0]


def unsent(log: Sequence[Any], job: str) -> list[Any]:
    return [said for said in log if "will be:" in said["event"] and said["job"] == job]


def several(log: Sequence[Any], job: str) -> bool:
    return len(unsent(log, job)) > 2
