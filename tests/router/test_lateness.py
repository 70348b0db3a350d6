"""After an outage: who waited too long is told so, once in a chat, and what a server wants of every message is done all the same."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot import Command, Context, Listener, NoArgs, Route, hookimpl
from bot.connector import Limits
from bot.messages import Address, Called, Message, Person, Said, Text, Trigger
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.app import running
from bot.router.lateness import ONE_OUTAGE, TOLD, Lateness
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform

LOUNGE, KITCHEN = (Address("room", name, "main") for name in ("lounge", "kitchen"))
PATIENCE = 600.0
ME = Person("bot", "Hobnob")

Say = Callable[..., object]


class Clerk:
    """Answers who speaks to it, and writes everything down."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Listener("answer", lambda message: message.addressed, self.answer),
            Listener("note", lambda message: True, self.note),
            Command("help", "Helps.", NoArgs, self.help),
        ]

    async def answer(self, ctx: Context) -> str:
        return f"answer to {ctx.message.text}"

    async def note(self, ctx: Context) -> str:
        return f"note of {ctx.message.text}"

    async def help(self, ctx: Context, args: NoArgs) -> str:
        return "help"


class Desk:
    """A router at which messages of any age arrive."""

    def __init__(self, router: app.Router, platform: Platform) -> None:
        self._router = router
        self._platform = platform
        self._count = 0

    async def say(self, text: str, age: float, *, to: Address = LOUNGE, trigger: Trigger | None = None) -> None:
        self._count += 1
        id = str(self._count)
        at = time.time() - age
        await self._router.deliver(Message(id, id, to, Person("a", "Ann"), (Text(text),), trigger or Said(), at, me="bot", mentions=(ME,)))

    async def shown(self, to: Address = LOUNGE) -> list[str]:
        await wait_until(lambda: not self._router.runner.held)
        return sorted(self._platform.shown(to))


@pytest.fixture
async def desk(redis: Redis, keys: Keys) -> AsyncIterator[Desk]:
    platform = Platform(most=Limits(text=200, file=1000, edit_interval=0.0, patience=PATIENCE))
    plugins = Plugins([Loaded("clerk", Clerk(), version="1")])
    router = app.build(redis, keys, plugins, [platform], lease=0.6)
    async with running(router, plugins):
        yield Desk(router, platform)


async def test_what_waited_too_long_gets_one_line_a_chat_and_no_answer(desk: Desk) -> None:
    await desk.say("one", PATIENCE + 5)
    await desk.say("two", PATIENCE + 1)
    await desk.say("/help", PATIENCE + 1, trigger=Called("help"))
    await desk.say("three", PATIENCE + 1, to=KITCHEN)
    assert await desk.shown() == [TOLD, "note of one", "note of two"]
    assert await desk.shown(KITCHEN) == [TOLD, "note of three"]


async def test_what_is_young_enough_is_answered(desk: Desk) -> None:
    await desk.say("one", PATIENCE - 60)
    await desk.say("/help", PATIENCE - 60, trigger=Called("help"))
    assert await desk.shown() == ["answer to one", "help", "note of one"]


async def test_after_a_day_nothing_is_done_any_more(desk: Desk) -> None:
    await desk.say("one", 86_400 + 5)
    assert await desk.shown() == []


async def test_the_next_outage_is_told_again() -> None:
    now = [10_000_000.0]
    lateness = Lateness(lambda _: PATIENCE, lambda: now[0])
    message = Message("1", "1", LOUNGE, Person("a", "Ann"), at=now[0] - PATIENCE - 1)
    first = lateness.notice(message)
    now[0] += ONE_OUTAGE - 1
    assert lateness.notice(message).event == first.event
    now[0] += 3600
    assert lateness.notice(replace(message, at=now[0] - PATIENCE - 1)).event != first.event
