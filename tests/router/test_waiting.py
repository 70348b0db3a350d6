"""What people see while they wait, and what they are told when waiting ends without an answer."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.config import QueueTable
from bot.store.dead import DeadList
from bot.store.keys import Keys
from bot.testing import wait_until
from tests.router.waiting import BEN, EVE, scene


async def test_what_killed_its_workers_is_listed_and_asked_again_the_answer_replies_to_the_question(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, lease=0.05) as at:
        await at.ask("asked")
        for _ in range(4):
            await at.claim()  # and is never heard of again
        await wait_until(lambda: any("Reference:" in text for text in at.shown()))
        dead = DeadList(redis, keys)
        [one] = await dead.all()
        assert (one.wanted, one.server, one.worker, one.crashes) == ("say", "room/lounge", "worker-1", 3)
        assert any(one.ref in text for text in at.shown())
        await at.quiet()
        await dead.retry([one.id])
        at.shift.lease = 8.0
        await at.finish(await at.claim())
        await wait_until(lambda: "hello" in at.shown())
        assert [post.reply_to for post in at.posts()] == ["asked", "asked"]
        await at.quiet()
        assert await dead.all() == []
        assert await dead.retried() == {}


async def test_what_was_dropped_is_not_asked_again(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, lease=0.05) as at:
        await at.ask()
        for _ in range(4):
            await at.claim()
        await at.quiet()
        dead = DeadList(redis, keys)
        [one] = await dead.all()
        await dead.drop([one.id])
        assert not await redis.exists(keys.dead_job(one.id))
        await dead.retry([one.id])
        await wait_until(lambda: _taken(dead))
        assert len(at.shown()) == 1


async def _taken(dead: DeadList) -> bool:
    return await dead.retried() == {}


async def test_an_answer_that_would_come_too_late_is_dropped_with_a_notice(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, QueueTable(deadlines={"say": 1.0})) as at:
        await at.ask()
        await at.quiet()
        assert at.shown() == [
            "This has waited a few seconds for its turn, so I have let it go. Please ask again if you still want to know."
        ]


async def test_who_asks_too_much_is_told_how_much_waits_of_theirs_and_how_much_of_all(redis: Redis, keys: Keys) -> None:
    async with scene(redis, keys, QueueTable(per_person=1, per_server=2)) as at:
        await at.ask("1")
        await wait_until(lambda: at.posts())
        await at.ask("2")
        await wait_until(lambda: "1 request of yours is waiting here already. Please ask again when it is answered." in at.shown())
        await at.ask("3", person=BEN)
        await wait_until(lambda: len(at.posts()) == 3)
        await at.ask("4", person=EVE)
        full = "2 requests are waiting here already, all of them ahead of you. Please ask again when some of them are answered."
        await wait_until(lambda: full in at.shown())
