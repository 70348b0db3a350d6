"""The queue: accepted once, served in turn, never run twice at once, never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar

import pytest
from redis.asyncio import Redis

from bot.errors import Busy, JobCancelled, JobExpired, JobFailed, JobLost
from bot.jobs import TextSoFar
from bot.store.dead import DeadList
from bot.store.keys import Keys
from bot.store.queue import MOST_CRASHES, Broken, Depth, Finished, Queue, Running, Shown, Update, Waiting
from bot.store.shifts import Claim, Offer, Shift
from bot.testing import wait_until
from tests.hands import Said, Say

SHORT = 0.15
OFFER = Offer("model", ["say"])
DEPTH = Depth(server=50, person=10)


class Hasty(Say):
    """Is worthless at once."""

    deadline: ClassVar[float] = 0.0


@pytest.fixture
async def queue(redis: Redis, keys: Keys) -> AsyncIterator[Queue]:
    queue = Queue(redis, keys, depth=DEPTH)
    yield queue
    await queue.close()
    for ticket in {str(key, "ascii").rpartition(":")[2] async for key in redis.scan_iter(f"{keys.prefix}:jobs-of:*")}:
        await queue.drop(ticket)
    await redis.delete(keys.dead(), keys.workers())


@pytest.fixture
def shift(redis: Redis, keys: Keys) -> Shift:
    return Shift(redis, keys, "worker-1", [OFFER], lease=SHORT)


@pytest.fixture
def other(redis: Redis, keys: Keys) -> Shift:
    return Shift(redis, keys, "worker-2", [OFFER], lease=SHORT)


async def somebody_works(redis: Redis, keys: Keys) -> None:
    await Shift(redis, keys, "living", [OFFER]).renew()


async def submit(queue: Queue, id: str, *, tenant: str = "s", person: str = "p", voice: str = "", model: str | None = None) -> None:
    await queue.submit(Say(words=id, voice=voice, model=model), id=id, ticket=f"t{id}", tenant=tenant, person=person)


async def claims(shift: Shift, most: int = 1, batch: str | None = None) -> list[Claim]:
    joined = "" if batch is None else "model"
    return (await shift.claim([Offer("model", shift.wants, most)], joined=joined, batch=batch or "")).claims


async def claim(shift: Shift, most: int = 1, batch: str | None = None) -> list[str]:
    return [one.id for one in await claims(shift, most, batch)]


async def ended(queue: Queue, id: str) -> Update:
    async with asyncio.timeout(5):
        return [update async for update in queue.follow(id)][-1]


async def one(shift: Shift) -> Claim:
    [found] = await claims(shift)
    return found


async def taken_over(queue: Queue, shift: Shift) -> Claim:
    """The job whose worker went silent, claimed by this one."""
    await wait_until(queue.reap)
    return await one(shift)


async def test_a_job_is_followed_from_the_line_to_its_result(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await somebody_works(redis, keys)
    await submit(queue, "0", person="before")
    await submit(queue, "1")
    seen: list[Update] = []

    async def watch() -> None:
        async for update in queue.follow("1"):
            seen.append(update)  # noqa: PERF401  it is looked at meanwhile

    watching = asyncio.create_task(watch())
    await wait_until(lambda: Waiting(1) in seen)
    first = await one(shift)
    await wait_until(lambda: Waiting(0) in seen)
    mine = await one(shift)
    assert await shift.emit_all([(mine, TextSoFar(text="wo").model_dump_json())]) == [True]
    assert await shift.finish(mine, Said(words="words").model_dump_json(), 1.0)
    await asyncio.wait_for(watching, 5)
    assert seen == [Waiting(1), Waiting(0), Running(), Shown(TextSoFar(text="wo")), Finished(b'{"words":"words"}')]
    assert await shift.finish(first, "{}", 1.0)


async def test_who_follows_late_still_sees_the_end(queue: Queue, shift: Shift) -> None:
    await submit(queue, "1")
    await shift.finish(await one(shift), '{"words":"late"}', 1.0)
    assert await ended(queue, "1") == Finished(b'{"words":"late"}')
    assert await ended(queue, "1") == Finished(b'{"words":"late"}')


async def test_the_same_id_is_the_same_job(queue: Queue, shift: Shift) -> None:
    await submit(queue, "1")
    await submit(queue, "1")
    assert await claim(shift, 9) == ["1"]
    await submit(queue, "1")
    assert await claim(shift, 9) == []


async def test_servers_take_turns_and_so_do_the_people_of_a_server(queue: Queue, shift: Shift) -> None:
    for number in range(4):
        await submit(queue, f"flood{number}", tenant="loud", person="shouter")
    await submit(queue, "loud-too", tenant="loud", person="other")
    await submit(queue, "quiet", tenant="calm", person="whisperer")
    order = [(await claim(shift))[0] for _ in range(6)]
    assert order == ["flood0", "quiet", "loud-too", "flood1", "flood2", "flood3"]


async def test_a_turn_holds_what_may_run_together_and_no_more_than_fits(queue: Queue, shift: Shift) -> None:
    for number in range(5):
        await submit(queue, f"{number}", person=f"p{number}", voice="low" if number % 2 else "high")
    assert await claim(shift, 2) == ["0", "2"]
    assert await claim(shift, 9, batch="high") == ["4"]
    assert await claim(shift, 9, batch="high") == []
    assert await claim(shift, 9) == ["1", "3"]


async def test_a_job_for_one_model_waits_for_that_model(queue: Queue, redis: Redis, keys: Keys) -> None:
    await submit(queue, "1", model="loud")
    calm, loud = ["say", "say:calm"], ["say", "say:loud"]
    shift = Shift(redis, keys, "w", [Offer("calm", calm), Offer("loud", loud)], lease=SHORT)
    assert (await shift.claim([Offer("calm", calm)])).claims == []
    begun = await shift.claim([Offer("calm", calm), Offer("loud", loud)])
    assert (begun.model, [one.id for one in begun.claims]) == ("loud", ["1"])


async def test_too_much_is_refused_with_a_number(queue: Queue) -> None:
    for number in range(DEPTH.person):
        await submit(queue, f"{number}")
    with pytest.raises(Busy, match=f"^{DEPTH.person} requests of yours are waiting"):
        await submit(queue, "one too many")
    for number in range(DEPTH.person, DEPTH.server):
        await submit(queue, f"{number}", person=f"p{number}")
    with pytest.raises(Busy, match=f"^{DEPTH.server} requests are waiting here already, all of them ahead of you"):
        await submit(queue, "one too many", person="new")
    await submit(queue, "elsewhere", tenant="other")


async def test_a_silent_worker_loses_its_job_and_its_late_words_are_refused(queue: Queue, shift: Shift, other: Shift) -> None:
    await submit(queue, "1")
    mine = await one(shift)
    theirs = await taken_over(queue, other)
    assert theirs.alone
    assert await shift.emit_all([(mine, TextSoFar(text="late").model_dump_json())]) == [False]
    assert not await shift.finish(mine, '{"words":"zombie"}', 1.0)
    assert await other.finish(theirs, '{"words":"right"}', 1.0)
    assert await ended(queue, "1") == Finished(b'{"words":"right"}')


async def test_a_renewed_lease_ends_later(queue: Queue, redis: Redis, keys: Keys) -> None:
    shift = Shift(redis, keys, "worker-1", [OFFER])
    await submit(queue, "1")
    mine = await one(shift)

    async def ends() -> float:
        found = await redis.zscore(f"{keys.prefix}:leases:jobs", "1")
        assert found is not None
        return found

    first = await ends()
    await wait_until(lambda: renewed(shift, ends, first))
    assert await queue.reap() == 0
    assert await shift.finish(mine, "{}", 1.0)


async def renewed(shift: Shift, ends: Callable[[], Awaitable[float]], before: float) -> bool:
    """Leases end at a whole millisecond, which may be the same one."""
    assert not await shift.renew()
    return await ends() > before


async def test_after_a_crash_a_job_runs_alone(queue: Queue, shift: Shift, other: Shift) -> None:
    await submit(queue, "1", person="a")
    await submit(queue, "2", person="b")
    assert len(await claim(shift, 2)) == 2
    await wait_until(queue.reap)
    await submit(queue, "3", person="c")
    first = await claims(other, 9)
    assert len(first) == 1
    assert first[0].alone
    assert await claim(other, 9, batch="") == ["3"], "the next that crashed may not join either"


async def test_three_crashes_alone_end_on_the_dead_list(queue: Queue, shift: Shift, other: Shift, redis: Redis, keys: Keys) -> None:
    await submit(queue, "1")
    assert not (await one(shift)).alone
    for _ in range(MOST_CRASHES):
        assert (await taken_over(queue, other)).alone
    await wait_until(queue.reap)
    end = await ended(queue, "1")
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobLost)
    assert [one.id for one in await DeadList(redis, keys).all()] == ["1"]


async def test_a_drained_worker_hands_back_without_a_crash(queue: Queue, shift: Shift, other: Shift) -> None:
    await submit(queue, "1")
    await submit(queue, "2")
    await shift.hand_back([await one(shift)])
    again = await one(other)
    assert (again.id, again.alone) == ("1", False)


async def test_cancel_ends_what_waits_and_what_runs_and_what_comes(queue: Queue, shift: Shift) -> None:
    for id in ("runs", "waits"):
        await queue.submit(Say(words=id), id=id, ticket="t", tenant="s", person="p")
    running = await one(shift)
    await queue.cancel("t")
    assert await shift.orders(1.0) == running.id
    for id in ("runs", "waits"):
        end = await ended(queue, id)
        assert isinstance(end, Broken)
        assert isinstance(end.error, JobCancelled)
    assert not await shift.finish(running, "{}", 1.0)
    assert await claim(shift, 9) == []
    with pytest.raises(JobCancelled):
        await queue.submit(Say(words="late"), id="late", ticket="t", tenant="s", person="p")


async def test_what_waits_longer_than_its_deadline_is_ended(queue: Queue, shift: Shift) -> None:
    await queue.submit(Hasty(words="now"), id="1", ticket="t1", tenant="s", person="p")
    await wait_until(queue.reap)
    end = await ended(queue, "1")
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobExpired)
    assert await claim(shift) == []


async def test_a_fault_reaches_who_follows(queue: Queue, shift: Shift) -> None:
    await submit(queue, "1")
    await shift.fail(await one(shift), JobFailed("the model coughed"), 1.0)
    end = await ended(queue, "1")
    assert isinstance(end, Broken)
    assert isinstance(end.error, JobFailed)
    assert str(end.error) == "the model coughed"


@pytest.mark.alone
async def test_a_waiting_worker_is_woken(queue: Queue, shift: Shift) -> None:
    waiting = asyncio.create_task(shift.wait(["say"], 5.0))
    await submit(queue, "1")
    await asyncio.wait_for(waiting, 2.0)
    assert await claim(shift) == ["1"]


async def test_only_the_living_count_as_serving(queue: Queue, shift: Shift) -> None:
    assert await queue.served() == frozenset()
    await shift.renew()
    assert await queue.served() == {"say"}

    async def gone() -> bool:
        return await queue.served() == frozenset()

    await wait_until(gone)
    await shift.renew()
    await shift.sign_off()
    assert await queue.served() == frozenset()


async def test_two_workers_never_hold_the_same_job(queue: Queue, redis: Redis, keys: Keys) -> None:
    shifts = [Shift(redis, keys, f"w{number}", [OFFER]) for number in range(4)]
    jobs = [f"{number}" for number in range(200)]
    for id in jobs:
        await submit(queue, id, tenant=f"s{int(id) % 7}", person=f"p{int(id) % 23}")
    held: list[str] = []

    async def work(shift: Shift) -> None:
        while found := await claims(shift, 3):
            held.extend(one.id for one in found)
            for one in found:
                assert await shift.finish(one, "{}", 1.0)

    await asyncio.gather(*(work(shift) for shift in shifts))
    assert sorted(held) == sorted(jobs)


async def test_nothing_is_left_of_a_ticket_that_has_ended(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await queue.submit(Say(words="1"), id="done", ticket="t", tenant="s", person="p")
    await shift.finish(await one(shift), "{}", 1.0)
    await queue.submit(Say(words="2"), id="waits", ticket="t", tenant="s", person="p")
    await queue.drop("t")
    left = {str(key, "ascii").removeprefix(f"{keys.prefix}:") async for key in redis.scan_iter(f"{keys.prefix}:*")}
    assert {key.partition(":")[0] for key in left} <= {"work", "cancelled", "credit", "spent", "costs", "asked"}


async def test_an_ended_ticket_gets_no_more_jobs(queue: Queue, shift: Shift, redis: Redis, keys: Keys) -> None:
    await queue.submit(Say(words="1"), id="1", ticket="t", tenant="s", person="p")
    running = await one(shift)
    await queue.cancel("t")
    await queue.drop("t")
    for id in ("1", "2"):  # by a router that was halted when the ticket ended
        with pytest.raises(JobCancelled):
            await queue.submit(Say(words=id), id=id, ticket="t", tenant="s", person="p")
    assert not await shift.finish(running, "{}", 1.0)
    assert await claim(shift, 9) == []
    assert 0 < await redis.ttl(f"{keys.prefix}:cancelled:t") <= 86_400
