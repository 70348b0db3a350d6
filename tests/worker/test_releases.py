"""Routers and workers one release apart: what one does not understand is left to others, and costs nobody else anything."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from redis.asyncio import Redis

from bot.jobs import shape
from bot.store.keys import Keys
from bot.store.queue import Finished
from bot.store.shifts import Offer, Shift
from bot.testing import wait_until
from tests.worker.conftest import Jobs
from tests.worker.drill import Beat, Done, Sing
from tests.worker.test_duty import day
from tests.worker.test_turns import Long

TEMPO = "presto"


class Newer(Sing):
    """As the next release has it."""

    kind: ClassVar[str] = "sing"

    tempo: str = ""


async def test_a_newer_job_is_left_to_newer_workers_and_the_rest_is_done(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    model = Long()
    model.enough.set()
    async with day(redis, keys, model):
        await jobs.submit(Newer(name="new", tempo=TEMPO), person="ada")
        await wait_until(lambda: _refused(redis, keys))
        assert await redis.hmget(keys.job("new"), "state", "crashes") == [b"waiting", b"0"]
        await jobs.submit(Newer(name="plain"), person="ada")
        assert isinstance(await jobs.ended("plain"), Finished), "what does not use the news is understood by all"
        assert not await jobs.queue.understood("new", "sing")
        newer = Offer("long", ["sing", "sing:long"], schema=shape(Newer))
        shift = Shift(redis, keys, "newer", [newer])
        await shift.renew()
        assert await jobs.queue.understood("new", "sing")
        [claim] = (await shift.claim([newer])).claims
        assert Newer.model_validate(claim.body["job"]).tempo == TEMPO
        assert await shift.finish(claim, Done(pid=1).model_dump_json(), 0.1)
        assert isinstance(await jobs.ended("new"), Finished)
        await shift.sign_off()


async def _refused(redis: Redis, keys: Keys) -> bool:
    return await redis.hexists(keys.job("new"), "refused")


async def test_a_job_that_nobody_understands_is_offered_once_to_each_release(redis: Redis, keys: Keys, jobs: Jobs) -> None:
    offers = [Offer("long", ["sing"], schema=shape(job)) for job in (Sing, Beat)]
    shifts = [Shift(redis, keys, f"w{number}", [offer]) for number, offer in enumerate(offers)]
    await jobs.submit(Newer(name="new", tempo=TEMPO))
    for shift, offer in zip(shifts, offers, strict=True):
        await shift.renew()
        assert await jobs.queue.understood("new", "sing")
        [claim] = (await shift.claim([offer])).claims
        await shift.refuse(claim, "long")
        assert (await shift.claim([offer])).claims == []
    assert not await jobs.queue.understood("new", "sing")
    assert "sing" in await jobs.queue.served()
    await asyncio.gather(*(shift.sign_off() for shift in shifts))
    assert shape(Sing) != shape(Newer)
