"""A router's rounds: one entry that goes wrong holds up none behind it, and is not thrown away."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.messages import Address, Message, Person, Text
from bot.router.keeping import retry
from bot.router.rounds import Beat
from bot.store.dead import AT_ONCE, DeadList
from bot.store.keys import Keys
from bot.store.tickets import Body
from bot.testing import wait_until

ROOM = Address("room", "lounge", "main")


async def bury(redis: Redis, keys: Keys, id: str, body: str = "") -> None:
    """As it lies there once the operator has said that it is to be asked anew."""
    message = Message(id, id, ROOM, Person("ada", "Ada"), (Text("again"),))
    body = body or Body(plugin="echo", route="listener:hear", version="1", message=message).model_dump_json()
    fields = ("tenant", ROOM.tenant, "ticket-body", body, "want", "say", "at", "1000", "worker", "w", "ticket", "t")
    await redis.hset(keys.dead_job(id), items=list(fields))
    await redis.zadd(keys.dead(), {id: 1000})
    await DeadList(redis, keys).retry([id])
    for key in (keys.dead_job(id), keys.dead()):
        await redis.expire(key, 60)


async def test_a_job_that_cannot_be_asked_anew_stays_on_the_list_and_holds_up_no_other(redis: Redis, keys: Keys) -> None:
    dead, strange = DeadList(redis, keys), [f"strange {number}" for number in range(AT_ONCE)]
    for id in strange:
        await bury(redis, keys, id, '{"of": "a newer release"}')
    for id in ("1", "2", "3"):
        await bury(redis, keys, id)
    tried: list[str] = []
    away = [TimeoutError()]

    async def again(body: Body, id: str) -> None:
        tried.append(id)
        if id == "1":
            raise ValueError("nobody understands this")
        if id == "2" and away:
            raise away.pop()

    async def through() -> bool:
        return {one.id: one.retry for one in await dead.all()} == {"1": False} | dict.fromkeys(strange, True)

    with capture_logs() as logs:
        retrying = asyncio.create_task(retry(dead, again, ["room"], Beat(0.01)))
        await wait_until(through)
        retrying.cancel()
        await asyncio.wait([retrying])
    assert tried == ["1", "2", "2", "3"]
    assert [line["job"] for line in logs if "does not understand" in line["event"]] == strange, "once each"
