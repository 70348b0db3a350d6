"""A router's rounds: one entry that goes wrong holds up none behind it, and is not thrown away; what is lost is what is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot import Command, Context, NoArgs, Route, hookimpl
from bot.messages import Address, Called, Message, Person, Text
from bot.plugins import Loaded, Plugins
from bot.router.app import build
from bot.router.keeping import keep, retry
from bot.router.rounds import Beat
from bot.store.dead import AT_ONCE, DeadList
from bot.store.keys import Keys
from bot.store.tickets import Body, Ticket
from bot.testing import wait_until
from bot.testing.platform import Platform

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


class Slow:
    """Answers when it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()

    @hookimpl
    def register_routes(self) -> list[Route]:
        return [Command("sing", "Sings.", NoArgs, self.sing)]

    async def sing(self, ctx: Context, args: NoArgs) -> str:
        await self.may.wait()
        return "La."


async def test_who_took_a_ticket_back_while_its_renewal_was_on_the_way_keeps_it(
    redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, platform = Slow(), Platform()
    router = build(redis, keys, Plugins([Loaded("slow", slow, version="1")]), [platform])
    tickets, runner, renewed = router.tickets, router.runner, router.tickets.renew
    await router.deliver(Message("1", "1", ROOM, Person("ada", "Ada"), trigger=Called("sing"), me="bot"))
    [first] = runner.held

    async def late(held: Sequence[Ticket]) -> list[Ticket]:
        """Its lease has lapsed, as in a router that was halted, and another part of the router is quicker to take it."""
        if list(held) != [first]:
            return await renewed(held)
        await redis.zadd(keys.ticket_leases(), {first.id: 0})
        assert await tickets.reap() == 1
        again = await tickets.claim("room")
        lost = await renewed(held)
        assert again is not None and len(lost) == 1
        runner.start(again)
        return lost

    monkeypatch.setattr(tickets, "renew", late)
    keeping = asyncio.create_task(keep(tickets, runner, router.stores.queue, Beat(0.01)))
    await wait_until(lambda: [ticket.fence for ticket in runner.held] == [2])
    slow.may.set()
    await wait_until(lambda: platform.shown(ROOM) == ["La."])
    keeping.cancel()
    await asyncio.wait([keeping])
    await router.endings.close()
    await router.stores.queue.close()
