"""A router's rounds: one entry that goes wrong holds up none behind it."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from bot.messages import Address, Message, Person, Text
from bot.router.keeping import retry
from bot.store.dead import DeadList
from bot.store.keys import Keys
from bot.store.tickets import Body
from bot.testing import wait_until

ROOM = Address("room", "lounge", "main")


async def test_a_job_that_cannot_be_asked_anew_holds_up_no_other(redis: Redis, keys: Keys) -> None:
    for id in ("1", "2", "3"):
        message = Message(id, id, ROOM, Person("ada", "Ada"), (Text("again"),))
        body = "{" if id == "2" else Body(plugin="echo", route="listener:hear", version="1", message=message).model_dump_json()
        await redis.hset(keys.dead_job(id), mapping={"tenant": ROOM.tenant, "ticket-body": body})
        await redis.rpush(keys.retries(), id)
    tried: list[str] = []

    async def again(body: Body, id: str) -> None:
        tried.append(id)
        if id == "1":
            raise ValueError("nobody understands this")

    retrying = asyncio.create_task(retry(DeadList(redis, keys), again, ["room"], 0.01))

    async def through() -> bool:
        return not await redis.exists(keys.retries())

    await wait_until(through)
    retrying.cancel()
    await asyncio.wait([retrying])
    assert tried == ["1", "3"]
