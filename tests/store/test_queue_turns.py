"""Who is served when, what wakes whom, and what happens to jobs that got lost on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from redis.asyncio import Redis

from bot.errors import JobCancelled, JobLost, JobTimedOut
from bot.jobs import TextSoFar
from bot.store import outputs
from bot.store.keys import Keys
from bot.store.queue import Broken, Depth, Finished, Queue, Running, Update, Waiting
from bot.store.shifts import Begun, Offer, Shift
from bot.testing import wait_until
from tests.hands import Said, Say

SHORT = 0.15
DEPTH = Depth(server=50, person=10)
WANTS = ["say", "say:loud"]
OFFER = Offer("loud", WANTS)


class Impatient(Say):
    """Is worthless soon."""

    deadline: ClassVar[float] = 0.3


@pytest.fixture
async def queue(redis: Redis, keys: Keys) -> AsyncIterator[Queue]:
    queue = Queue(redis, keys, depth=DEPTH, lease=SHORT)
    yield queue
    await queue.close()
    for ticket in {str(key, "ascii").rpartition(":")[2] async for key in redis.scan_iter(f"{keys.prefix}:jobs-of:*")}:
        await queue.drop(ticket)


@pytest.fixture
def shift(redis: Redis, keys: Keys) -> Shift:
    return Shift(redis, keys, "worker-1", [OFFER], lease=SHORT)


@pytest.fixture
def other(redis: Redis, keys: Keys) -> Shift:
    return Shift(redis, keys, "worker-2", [OFFER], lease=SHORT)


async def somebody_works(redis: Redis, keys: Keys) -> None:
    await Shift(redis, keys, "living", [OFFER]).renew()


async def submit(queue: Queue, id: str, job: Say | None = None, *, tenant: str = "s", person: str = "p") -> None:
    await queue.submit(job or Say(words=id), id=id, ticket=f"t-{id}", tenant=tenant, person=person)


async def last(queue: Queue, id: str) -> Update:
    async with asyncio.timeout(5):
        return [update async for update in queue.follow(id)][-1]


async def first(queue: Queue, id: str) -> Update:
    async with asyncio.timeout(5):
        async for update in queue.follow(id):
            return update
    raise AssertionError("no update")


async def turn(shift: Shift, most: int = 1, joined: str = "", batch: str = "") -> Begun:
    return await shift.claim([Offer("loud", WANTS, most)], joined=joined, batch=batch)


async def order(shift: Shift, count: int) -> list[str]:
    return [claim.id for _ in range(count) for claim in (await turn(shift)).claims]


async def test_who_asks_for_a_model_by_name_takes_turns_with_who_takes_any(queue: Queue, shift: Shift) -> None:
    for number in range(3):
        await submit(queue, f"any{number}", tenant="loud")
    await submit(queue, "named0", Say(words="", model="loud"), tenant="calm")
    await submit(queue, "named1", Say(words="", model="loud"), tenant="calm")
    assert await order(shift, 5) == ["any0", "named0", "any1", "named1", "any2"]


async def test_a_server_that_asks_in_two_ways_gets_no_more_than_one_that_asks_in_one(queue: Queue, shift: Shift) -> None:
    for number in range(3):
        await submit(queue, f"any{number}", tenant="greedy")
        await submit(queue, f"named{number}", Say(words="", model="loud"), tenant="greedy", person="q")
        await submit(queue, f"calm{number}", tenant="calm")
    served = await order(shift, 6)
    assert [id for id in served if id.startswith("calm")] == ["calm0", "calm1", "calm2"]


async def test_a_newcomer_does_not_wait_for_the_flood(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await somebody_works(redis, keys)
    for number in range(9):
        await submit(queue, f"flood{number}", tenant="loud")
    assert await order(shift, 4) == ["flood0", "flood1", "flood2", "flood3"]
    await submit(queue, "new", tenant="calm")
    assert await first(queue, "new") == Waiting(0)
    assert await order(shift, 2) == ["new", "flood4"]


async def test_the_place_in_line_is_the_number_that_is_served_before(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await somebody_works(redis, keys)
    for tenant, person, count in (("a", "x", 4), ("a", "y", 2), ("b", "x", 3), ("c", "z", 1)):
        for number in range(count):
            await submit(queue, f"{tenant}{person}{number}", tenant=tenant, person=person)
    expected = {id: await first(queue, id) for id in ("ax0", "ay1", "bx2", "cz0", "ax3")}
    served = await order(shift, 10)
    assert expected == {id: Waiting(served.index(id)) for id in expected}


async def test_a_turn_ends_for_jobs_that_do_not_fit_once_those_that_fit_have_joined(queue: Queue, shift: Shift) -> None:
    await submit(queue, "running", tenant="a")
    assert await order(shift, 1) == ["running"]
    await submit(queue, "other voice", Say(words="", voice="low"), tenant="b")
    await submit(queue, "same voice", tenant="c")
    joining = await turn(shift, 4, "loud")
    assert ([claim.id for claim in joining.claims], joining.closing) == (["same voice"], False)
    assert (await turn(shift, 4, "loud")).closing
    assert [claim.id for claim in (await turn(shift, 4)).claims] == ["other voice"]


async def test_who_has_room_in_a_turn_hears_of_the_next_job_and_the_idle_are_woken_too(queue: Queue, shift: Shift, other: Shift) -> None:
    await submit(queue, "running")
    await order(shift, 1)
    await other.wait(WANTS, 0.1)
    assert (await turn(shift, 3, "loud")).claims == []
    idle = asyncio.create_task(other.wait(WANTS, 5.0))
    hearing = asyncio.create_task(shift.orders(5.0))
    await submit(queue, "next")
    assert await asyncio.wait_for(hearing, 2.0) == ""
    await asyncio.wait_for(idle, 2.0)
    assert len((await turn(shift, 3, "loud")).claims) == 1


async def test_old_tokens_do_not_keep_an_idle_worker_busy(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    for number in range(5):
        await submit(queue, f"{number}", person=f"p{number}")
    await turn(shift, 5)
    assert (await turn(shift, 5)).claims == []
    assert await redis.exists(keys.work("say")) == 0


async def test_only_what_a_worker_knows_that_it_holds_is_renewed(
    queue: Queue, shift: Shift, other: Shift, redis: Redis, keys: Keys
) -> None:
    """A reply to a claim can get lost; the job must not stay with a worker that never heard of it."""
    await submit(queue, "known", person="a")
    await submit(queue, "lost", person="b")
    await order(shift, 1)
    await order(Shift(redis, keys, "worker-1", [OFFER], lease=SHORT), 1)

    async def reaped() -> int:
        assert not await shift.renew()
        return await queue.reap()

    assert await wait_until(reaped) == 1
    assert await order(other, 2) == ["lost"]


async def test_after_an_absence_of_redis_the_living_keep_their_jobs(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await submit(queue, "1")
    await order(shift, 1)
    assert await queue.reap() == 0
    await wait_until(lambda: _lapsed(redis, keys))  # nobody renewed, and nobody reaped either
    assert await queue.reap() == 0
    assert not await shift.renew()
    assert await queue.reap() == 0


async def _lapsed(redis: Redis, keys: Keys) -> bool:
    seconds, micros = await redis.time()
    return bool(await redis.zcount(f"{keys.prefix}:leases:jobs", "-inf", seconds * 1000 + micros // 1000))


async def test_a_job_that_was_handed_back_still_has_its_deadline(queue: Queue, shift: Shift) -> None:
    await submit(queue, "1", Impatient(words=""))
    await shift.hand_back((await turn(shift)).claims)
    await wait_until(queue.reap)
    end = await last(queue, "1")
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobTimedOut)


async def test_who_follows_a_job_that_is_forgotten_does_not_wait_for_ever(queue: Queue, shift: Shift) -> None:
    end = await last(queue, "never submitted")
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobLost)


async def test_a_job_is_looked_for_when_nothing_was_heard_of_it_for_a_while(
    queue: Queue, shift: Shift, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looked() -> int:
        return int((await redis.info("commandstats")).get("cmdstat_exists", {"calls": 0})["calls"])

    monkeypatch.setattr(outputs, "BLOCK", 10_000)
    await submit(queue, "1")
    await turn(shift)
    updates = queue.follow("1")
    assert isinstance(await anext(updates), Running)
    before = await looked()
    queue._outputs._next_look = 0.0
    await queue._outputs._look()
    assert await looked() == before
    monkeypatch.setattr(outputs, "BLOCK", 0)
    queue._outputs._next_look = 0.0
    await queue._outputs._look()
    assert await looked() > before


async def test_a_job_that_goes_back_into_line_is_seen_to_wait_again(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await somebody_works(redis, keys)
    await submit(queue, "1")
    seen: list[str] = []

    async def watch() -> None:
        async for update in queue.follow("1"):
            seen.append(type(update).__name__)  # noqa: PERF401  it is looked at meanwhile

    watching = asyncio.create_task(watch())
    claims = (await turn(shift)).claims
    await wait_until(lambda: seen[-1:] == ["Running"])
    await shift.hand_back(claims)
    await wait_until(lambda: seen[-1:] == ["Waiting"])
    [claim] = (await turn(shift)).claims
    await shift.finish(claim, "{}", 1.0)
    await asyncio.wait_for(watching, 5.0)
    assert seen[-2:] == ["Running", "Finished"]


async def test_the_dead_leave_the_list_of_the_living(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await shift.renew()

    async def forgotten() -> bool:
        await queue.reap()
        return await redis.zcard(keys.workers()) == 0

    await wait_until(forgotten)


async def test_what_goes_on_admits_only_its_own_kind_and_never_one_that_must_run_alone(queue: Queue, shift: Shift, other: Shift) -> None:
    await submit(queue, "crashed", tenant="a")
    await turn(other)
    await wait_until(queue.reap)
    await submit(queue, "other voice", Say(voice="low"), tenant="b")
    await submit(queue, "same voice", tenant="c")
    going_on = Offer("loud", WANTS, 4, parked=time.time(), batch="")
    begun = await shift.claim([going_on])
    assert (begun.model, [claim.id for claim in begun.claims]) == ("loud", ["same voice"])
    assert [claim.id for claim in (await turn(shift, 4)).claims] == ["crashed"]


async def test_a_jobs_clock_stands_still_while_another_model_has_its_turn(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await submit(queue, "1")
    claims = (await turn(shift)).claims
    await shift.park(claims)
    await redis.hset(keys.job("1"), "until", "60000")
    await redis.hset(keys.job("1"), "parked", "0")
    assert not await shift.renew(), "it does not run, so it does not run too long"
    await shift.resume(claims)
    assert not await shift.renew()
    await redis.hset(keys.job("1"), "until", "60000")
    assert await shift.renew()


async def test_who_lost_a_job_neither_stops_its_clock_nor_says_that_it_runs(
    queue: Queue, shift: Shift, other: Shift, redis: Redis, keys: Keys
) -> None:
    await submit(queue, "1")
    lost = (await turn(shift)).claims
    await shift.hand_back(lost)
    assert (await turn(other)).claims
    said = await redis.xlen(keys.out("1"))
    await shift.park(lost)
    await shift.loaded(OFFER, 1.0, lost)
    assert await redis.hget(keys.job("1"), "parked") is None
    assert await redis.xlen(keys.out("1")) == said


async def test_of_a_job_that_has_ended_its_end_alone_is_kept(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await submit(queue, "1")
    [claim] = (await turn(shift)).claims
    for words in ("so", "so far"):
        await shift.emit_all([(claim, TextSoFar(text=words).model_dump_json())])
    await shift.finish(claim, Said(words="so far so good").model_dump_json(), 0.1)
    assert await redis.xlen(keys.out("1")) == 1
    assert [type(update) async for update in queue.follow("1")] == [Finished]


async def test_jobs_that_expired_in_line_leave_it_without_a_trace(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    for id in ("1", "2", "3"):
        await submit(queue, id)
    await submit(queue, "4", person="q")
    await redis.delete(*(keys.job(id) for id in ("1", "2", "3")))
    assert await order(shift, 2) == ["4"]
    assert await redis.hgetall(f"{keys.prefix}:depth") == {}
    assert await redis.zcard(f"{keys.prefix}:deadlines") == 0


async def test_the_time_that_a_job_ran_is_no_time_that_it_waited(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await submit(queue, "1", Impatient())
    claims = (await turn(shift)).claims
    await redis.hset(keys.job("1"), "begun", int(await redis.hget(keys.job("1"), "begun") or 0) - 60_000)
    await shift.hand_back(claims)
    assert (await redis.zscore(f"{keys.prefix}:deadlines", "1") or 0) > (await redis.time())[0] * 1000 + 50_000


async def test_who_cancels_late_still_pays_for_what_was_done(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await submit(queue, "1")
    [claim] = (await turn(shift)).claims
    await queue.cancel("t-1")
    await queue.drop("t-1")
    assert not await shift.fail(claim, JobCancelled("nobody waits"), 6.0)
    assert await redis.zscore(f"{keys.prefix}:credit:{shift.pool}", "s") == 2.0
    assert not await shift.fail(claim, JobCancelled("nobody waits"), 6.0)
    assert await redis.zscore(f"{keys.prefix}:credit:{shift.pool}", "s") == 2.0


async def test_who_follows_outlives_a_reader_that_failed(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await submit(queue, "1")
    await redis.zadd(keys.workers(), {"no json": 4e12})
    following = asyncio.create_task(last(queue, "1"))
    [claim] = (await turn(shift)).claims
    await shift.finish(claim, "{}", 1.0)
    assert await following == Finished(b"{}")
    await redis.delete(keys.workers())
