"""Tickets: written once, run in order, never lost, never run by two at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.messages import Address, Message, Person, Said, Text
from bot.store.keys import Keys
from bot.store.servers import Server, Servers
from bot.store.tickets import MOST_CRASHES, Body, Decided, StaleSettings, Superseded, Supposed, Ticket, Tickets, event_id
from bot.testing import wait_until

ROOM = Address("room", "lounge", "main")
SHORT = 0.2


def said(event: str, *, ordered: bool = False, address: Address = ROOM, route: str = "listener:hear") -> Body:
    message = Message(event, event, address, Person("ada", "Ada"), (Text(f"words of {event}"),))
    return Body(plugin="echo", route=route, version="1", message=message, ordered=ordered)


@pytest.fixture
def tickets(redis: Redis, keys: Keys) -> Tickets:
    return Tickets(redis, keys, "router-1", lease=SHORT)


@pytest.fixture
def other(redis: Redis, keys: Keys) -> Tickets:
    return Tickets(redis, keys, "router-2", lease=SHORT)


async def accept(tickets: Tickets, *bodies: Body) -> list[Ticket]:
    return await tickets.accept(bodies, 0, 1.0)


async def lapsed(tickets: Tickets) -> Ticket:
    """The ticket whose router went silent, claimed by this one."""
    await wait_until(tickets.reap)
    ticket = await tickets.claim("room")
    assert ticket is not None
    return ticket


async def test_the_same_event_on_the_same_route_is_one_ticket(tickets: Tickets, other: Tickets) -> None:
    first, second = await accept(tickets, said("1"), said("1", route="listener:also"))
    assert first.id != second.id
    assert await other.accept([said("1")], 0, 1.0, event="a later version of it") == []
    assert await tickets.finish(first)
    assert await other.accept([said("1")], 0, 1.0, event="a still later one") == []
    assert await tickets.finish(second)


async def test_what_becomes_of_an_event_is_decided_once(tickets: Tickets, other: Tickets) -> None:
    [ticket] = await accept(tickets, said("1"))
    for late in (said("1"), said("1", route="listener:also")):
        with pytest.raises(Decided):
            await accept(other, late)
    assert await tickets.finish(ticket)
    with pytest.raises(Decided):
        await accept(other, said("1", route="listener:also"))


async def test_nothing_is_written_on_a_stale_view_of_the_settings(tickets: Tickets, redis: Redis, keys: Keys) -> None:
    await Servers(redis, keys).put(ROOM.tenant, Server())
    with pytest.raises(StaleSettings):
        await accept(tickets, said("1"))
    [ticket] = await tickets.accept([said("1")], 1, 1.0)
    await tickets.finish(ticket)


async def test_nothing_is_written_where_something_is_not_as_it_is_supposed(tickets: Tickets, redis: Redis, keys: Keys) -> None:
    name = keys.button("any")
    [ticket] = await tickets.accept([said("1")], 0, 1.0, supposed=Supposed(name, b""))
    await redis.set(name, "changed", ex=60)
    for value in (b"", b"as it was"):
        with pytest.raises(StaleSettings):
            await tickets.accept([said("2")], 0, 1.0, supposed=Supposed(name, value))
    [other] = await tickets.accept([said("2")], 0, 1.0, supposed=Supposed(name, b"changed"))
    for one in (ticket, other):
        await tickets.finish(one)
    await redis.delete(name)


async def test_ordered_tickets_of_a_conversation_run_one_after_the_other(tickets: Tickets) -> None:
    [first] = await accept(tickets, said("1", ordered=True))
    assert await accept(tickets, said("2", ordered=True)) == []
    assert await accept(tickets, said("3", ordered=True)) == []
    elsewhere = await accept(tickets, said("4", ordered=True, address=Address("room", "lounge", "main", thread="7")))
    unordered = await accept(tickets, said("5"))
    assert len(elsewhere) == len(unordered) == 1
    assert await tickets.claim("room") is None
    await tickets.finish(first)
    second = await tickets.claim("room")
    assert second is not None
    assert (second.body.message.id, second.attempts) == ("2", 1)
    assert await tickets.claim("room") is None
    await tickets.finish(second)
    third = await tickets.claim("room")
    assert third is not None
    for ticket in (third, *elsewhere, *unordered):
        await tickets.finish(ticket)


@pytest.mark.alone
async def test_a_router_that_waits_is_woken_by_the_next_in_line(tickets: Tickets, other: Tickets) -> None:
    [first] = await accept(tickets, said("1", ordered=True))
    await accept(tickets, said("2", ordered=True))
    waiting = asyncio.create_task(other.wait(["room"], 5.0))
    await tickets.finish(first)
    await asyncio.wait_for(waiting, 2.0)
    second = await other.claim("room")
    assert second is not None
    await other.finish(second)


async def test_a_silent_router_loses_its_ticket_and_writes_nothing_more(tickets: Tickets, other: Tickets, redis: Redis, keys: Keys) -> None:
    [mine] = await accept(tickets, said("1"))
    await tickets.record(mine, "status", b"17")
    theirs = await lapsed(other)
    assert (theirs.id, theirs.attempts) == (mine.id, 2)
    assert await other.recall(theirs) == {"status": b"17"}
    with pytest.raises(Superseded):
        await tickets.record(mine, "late", b"", [["SET", keys.button("x"), "written"]])
    assert await redis.get(keys.button("x")) is None
    assert await tickets.renew([mine]) == [mine]
    assert not await tickets.finish(mine)
    assert await other.finish(theirs)


async def test_a_renewed_lease_is_kept(tickets: Tickets, other: Tickets) -> None:
    [renewed, silent] = await accept(tickets, said("1"), said("2"))

    async def reaped_while_renewing() -> int:
        assert await tickets.renew([renewed]) == []
        return await other.reap()

    assert await wait_until(reaped_while_renewing) == 1
    taken = await other.claim("room")
    assert taken is not None
    assert taken.id == silent.id
    await other.finish(taken)
    assert await tickets.finish(renewed)


async def test_a_journal_entry_and_its_writes_happen_once(tickets: Tickets, redis: Redis, keys: Keys) -> None:
    [ticket] = await accept(tickets, said("1"))
    count: list[str | bytes | int] = ["INCR", keys.firings()]
    assert await tickets.record(ticket, "one", b"first", [count]) == b"first"
    assert await tickets.record(ticket, "one", b"second", [count]) == b"first"
    assert await redis.get(keys.firings()) == b"1"
    await tickets.finish(ticket)


async def test_only_crashes_count_as_attempts(tickets: Tickets, other: Tickets) -> None:
    [ticket] = await accept(tickets, said("1"))
    await tickets.hand_back(ticket)
    handed = await other.claim("room")
    assert handed is not None
    assert handed.attempts == 1
    mine = await lapsed(other)
    assert mine.attempts == 1, "a router that lost its lease but lives has not crashed"
    theirs = await lapsed(tickets)
    assert theirs.attempts == 2
    await tickets.finish(theirs)


async def test_the_third_crash_is_the_last(redis: Redis, keys: Keys) -> None:
    routers = [Tickets(redis, keys, f"router-{number}", lease=SHORT) for number in range(MOST_CRASHES + 1)]
    [ticket] = await accept(routers[0], said("1"))
    for router in routers[1:]:
        assert not ticket.crashed_too_often
        ticket = await lapsed(router)
    assert ticket.crashed_too_often
    await routers[-1].finish(ticket)


async def test_an_ordered_ticket_that_lapses_keeps_its_place(tickets: Tickets, other: Tickets) -> None:
    await accept(tickets, said("1", ordered=True))
    await accept(tickets, said("2", ordered=True))
    first = await lapsed(other)
    assert first.body.message.id == "1"
    assert await other.claim("room") is None
    await other.finish(first)
    second = await other.claim("room")
    assert second is not None
    await other.finish(second)


async def test_nothing_of_what_was_said_stays_behind(tickets: Tickets, redis: Redis, keys: Keys) -> None:
    [ticket] = await accept(tickets, said("1"))
    await tickets.record(ticket, "outcome", b"an answer")
    await tickets.finish(ticket)
    left = {key.decode() async for key in redis.scan_iter(f"{keys.prefix}:*")}
    assert left == {keys.ticket(ticket.id), keys.ticket(event_id("room", "1"))}
    assert await redis.hgetall(keys.ticket(ticket.id)) == {b"state": b"done"}


async def test_an_answer_that_is_an_error_is_a_fault_of_the_store(redis: Redis, keys: Keys) -> None:
    await redis.set(keys.server("hall"), "no hash", px=60_000)
    with pytest.raises(StoreError, match="WRONGTYPE"):
        await Servers(redis, keys).version("hall")


def edit(version: int) -> Body:
    body = said(f"m:{version}")
    return body.model_copy(update={"message": replace(body.message, id="m", trigger=Said(version, "m"))})


async def test_an_edit_is_not_accepted_once_another_router_has_heard_a_newer_one(tickets: Tickets, other: Tickets) -> None:
    older, newer = edit(9), edit(10)
    await tickets.heard(older.message, 9)
    assert (await other.heard(newer.message, 10)).older == {"m:9"}
    assert await other.unended([older.id]) == [], "there is nothing yet that could be withdrawn"
    with pytest.raises(Decided):
        await accept(tickets, older)
    [ticket] = await accept(other, newer)
    [reacted] = await accept(tickets, said("m"))
    assert await other.unended([older.id, newer.id, reacted.id]) == [newer.id, reacted.id]
    for each in (ticket, reacted):
        await other.finish(each)
    assert await other.unended([newer.id, reacted.id]) == []


async def test_of_a_message_that_is_edited_for_ever_the_newest_versions_are_known(tickets: Tickets, redis: Redis, keys: Keys) -> None:
    for version in range(100):
        await tickets.heard(edit(version).message, version)
    assert await redis.zrange(keys.versions(ROOM.conversation, "m"), 0, -1) == [f"m:{version}".encode() for version in range(68, 100)]
    late = await tickets.heard(edit(1).message, 1)
    assert not late.older and len(late.newer) == 32
