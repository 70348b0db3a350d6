"""A command runs once for its message, however often that is edited; one that was wrong may be mended. Of words the newest are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace

import pytest
from pydantic import BaseModel
from redis.asyncio import Redis

from bot import Command, Context, Listener, Route, hookimpl
from bot.connector import Limits, typed_command
from bot.messages import Address, Deleted, Message, Person, Said, Text, Trigger
from bot.plugins import Loaded, Plugins
from bot.router.app import build, running
from bot.store.conversations import Conversations
from bot.store.dump import Dump
from bot.store.edits import KEPT
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.store.tickets import Ticket
from bot.tables import Talking
from bot.testing import wait_until
from bot.testing.platform import Platform
from bot.turns import Turn

LOUNGE, ME = Address("room", "lounge", "main"), Person("bot", "Hobnob")

Say = Callable[..., Awaitable[list[str]]]


class Paint(BaseModel):
    """An argument that can be wrong."""

    copies: int


class Painter:
    """Says what it would paint, and repeats what is said."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Command("paint", "Paints.", Paint, self.paint), Listener("repeat", lambda message: message.addressed, self.repeat)]

    async def paint(self, ctx: Context, args: Paint) -> str:
        return f"{args.copies} painted"

    async def repeat(self, ctx: Context) -> str:
        return ctx.message.text


def trigger(text: str, version: int) -> Trigger:
    called = typed_command(text)
    return Said(version) if called is None else replace(called, edits="m" if version else "")


@pytest.fixture
async def say(redis: Redis, keys: Keys) -> AsyncIterator[Say]:
    """One message that says one thing after the other; gives what stands below it in the end."""
    platform = Platform(most=Limits(text=200, file=1000, edit_interval=0.0, patience=600.0))
    plugins = Plugins([Loaded("painter", Painter(), version="1")])
    router = build(redis, keys, plugins, [platform])

    async def versions(*texts: str, late: float = 0.0) -> list[str]:
        for version, text in enumerate(texts):
            event, at = f"m:{version}" if version else "m", time.time() - (late if version else 0.0)
            message = Message("m", event, LOUNGE, Person("a", "Ann"), (Text(text),), trigger(text, version), at, me="bot", mentions=(ME,))
            await router.deliver(message)
            await wait_until(lambda: not router.runner.held)
        return platform.shown(LOUNGE)

    async with running(router, plugins):
        yield versions


async def test_a_command_that_ran_does_not_run_again(say: Say) -> None:
    assert await say("/paint 1", "/paint 2", "/paint 3") == ["1 painted"]


async def test_a_command_that_was_wrong_runs_when_it_is_mended(say: Say) -> None:
    shown = await say("/pant 1", "/paint x", "/paint y", "/paint 2", "/paint 3")
    assert [text.partition(" ")[0] for text in shown] == ["There", "copies:", "copies:", "2"]


async def test_words_that_become_a_command_run_it_and_words_are_answered_each_time(say: Say) -> None:
    assert await say("one", "two", "/paint 3") == ["one", "two", "3 painted"]


async def test_an_edit_that_comes_late_is_no_reason_to_say_anything(say: Say) -> None:
    assert await say("one", "two", "/paint 3", late=601.0) == ["one"]


class Ponderer:
    """Answers when it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("ponder", lambda message: message.addressed, self.ponder)]

    async def ponder(self, ctx: Context) -> str:
        await self.may.wait()
        return ctx.message.text


def version(number: int) -> Message:
    """Of one message; no process knows which others its versions have been heard by."""
    words, event = (Text(f"v{number}"),), f"m:{number}" if number else "m"
    return Message("m", event, LOUNGE, Person("ada", "Ada"), words, Said(number, "m" if number else ""), me="bot", mentions=(ME,))


class Two:
    """Two routers whose plugin ponders."""

    def __init__(self, redis: Redis, keys: Keys, ponderer: Ponderer) -> None:
        plugins = Plugins([Loaded("ponderer", ponderer, version="1")])
        self.ponderer, self._redis, self._keys = ponderer, redis, keys
        self.routers = [build(redis, keys, plugins, [Platform()]) for _ in range(2)]

    @property
    def held(self) -> list[Ticket]:
        """What is worked on, by its version."""
        held = (ticket for router in self.routers for ticket in router.runner.held)
        return sorted(held, key=lambda ticket: ticket.body.message.event)

    async def withdrawn(self) -> dict[str, bool]:
        """Of the versions that are worked on."""
        cancelled = [await self._redis.exists(f"{self._keys.prefix}:cancelled:{ticket.id}") for ticket in self.held]
        return {ticket.body.message.event: bool(one) for ticket, one in zip(self.held, cancelled, strict=True)}


@pytest.fixture
async def two(redis: Redis, keys: Keys) -> AsyncIterator[Two]:
    """Routers of which neither knows what the other has heard."""
    two = Two(redis, keys, Ponderer())
    yield two
    two.ponderer.may.set()
    await wait_until(lambda: not two.held)
    for router in two.routers:
        await router.endings.close()
        await router.stores.queue.close()


async def test_an_edit_that_another_router_heard_is_withdrawn_too(two: Two) -> None:
    one, other = two.routers
    await one.deliver(version(0))
    for number, router in enumerate((one, other, other), 1):
        await router.deliver(version(number))
        assert list((await two.withdrawn()).values()) == [True] * number + [False]
    await one.deliver(version(2))
    assert list((await two.withdrawn()).values()) == [True, True, True, False], "what is told again takes nothing from what came after it"
    await one.deliver(replace(version(0), event="gone", parts=(), trigger=Deleted("m")))
    assert list((await two.withdrawn()).values()) == [True] * 4


async def test_an_edit_that_is_heard_after_a_newer_one_is_not_answered(two: Two) -> None:
    one, other = two.routers
    await one.deliver(version(0))
    await other.deliver(version(2))
    await one.deliver(version(1))
    assert await two.withdrawn() == {"m": True, "m:2": False}
    await other.deliver(replace(version(1), trigger=Said(1, "m:2")))  # what a connector heard last is not always older
    assert await two.withdrawn() == {"m": True, "m:2": False}
    await one.deliver(replace(version(0), event="gone", parts=(), trigger=Deleted("m")))
    await other.deliver(version(3))
    assert await two.withdrawn() == {"m": True, "m:2": True}


async def test_an_edit_that_comes_so_late_that_it_is_among_the_forgotten_is_not_answered_either(two: Two) -> None:
    one, other = two.routers
    for number in range(2, 2 + KEPT):
        await other.tickets.heard(version(number), number)
    await one.deliver(version(1))
    assert await two.withdrawn() == {}


async def test_an_edit_that_is_told_again_or_late_takes_no_answer_from_memory(two: Two, redis: Redis, keys: Keys) -> None:
    one, other = two.routers
    two.ponderer.may.set()
    await one.deliver(version(2))
    await wait_until(lambda: not two.held)
    for role, text in (("person", "v2"), ("bot", "answer to v2")):
        turn = Turn(role=role, parts=(Text(text),), person="ada", message="m").model_dump_json(exclude={"offset"})
        await redis.rpush(keys.turns(LOUNGE.conversation), f"0:0 {turn}")
    for number in (1, 2):
        await other.deliver(version(number))
    remembered = Conversations(redis, keys)
    assert [turn.text for turn in await remembered.turns(LOUNGE.conversation, 1000)] == ["v2", "answer to v2"]
    await other.deliver(version(3))
    assert await remembered.turns(LOUNGE.conversation, 1000) == []


GONE = replace(version(0), event="gone", parts=(), mentions=(), trigger=Deleted("m"))


@pytest.fixture
async def threads(redis: Redis, keys: Keys) -> None:
    """Who mentions the bot begins a thread."""
    await Servers(redis, keys).put(LOUNGE.tenant, Server(choices=Choices(talking=Talking(threads=True))))


@pytest.mark.usefixtures("threads")
async def test_edits_are_known_in_the_thread_that_a_question_began_and_outside_of_it(two: Two) -> None:
    one, other = two.routers
    await one.deliver(version(0))
    await other.deliver(version(1))
    await one.deliver(GONE)
    assert await two.withdrawn() == {"m": True, "m:1": True}
    await other.deliver(version(2))
    assert await two.withdrawn() == {"m": True, "m:1": True}


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("newer", [GONE, replace(version(1), mentions=())], ids=["deleted", "edited so that it asks nothing"])
async def test_a_question_that_began_a_thread_is_taken_back_there(two: Two, redis: Redis, keys: Keys, newer: Message) -> None:
    thread, remembered = replace(LOUNGE, thread="m").conversation, Conversations(redis, keys)
    two.ponderer.may.set()
    await two.routers[0].deliver(version(0))
    await wait_until(lambda: not two.held)
    for message, text in (("m", "v0"), ("n", "and then?")):
        turn = Turn(role="person", parts=(Text(text),), person="ada", message=message).model_dump_json(exclude={"offset"})
        await redis.rpush(keys.turns(thread), f"0:0 {turn}")
    await redis.expire(keys.turns(thread), 60)
    await two.routers[1].deliver(newer)
    assert [turn.text for turn in await remembered.turns(thread, 1000)] == ["and then?"]


async def test_what_is_deleted_keeps_no_backup_from_being_made(redis: Redis, keys: Keys) -> None:
    plugins = Plugins([Loaded("ponderer", Ponderer(), version="1")])
    router = build(redis, keys, plugins, [Platform()])
    await router.deliver(Message("m", "gone", LOUNGE, Person("", ""), trigger=Deleted("m"), me="bot"))
    noted = keys.versions(LOUNGE.conversation, "m").removeprefix(f"{keys.prefix}:")
    for running_too, kept in ((False, True), (True, False)):
        assert (noted in {record.key async for record in Dump(redis, keys).read(running=running_too)}) is kept
    await router.endings.close()
    await router.stores.queue.close()
