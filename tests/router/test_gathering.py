"""An album whose parts are brought one by one is one message, whatever is brought again, too late, or to another router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot import Context, Listener, Route, hookimpl
from bot.connector import Limits, typed_command
from bot.messages import Address, Attachment, Image, Message, Person, Said, Text
from bot.plugins import Loaded, Plugins
from bot.router.app import Router, build, running
from bot.router.gathering import Gathering, together
from bot.store.albums import Albums
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform

LOUNGE = Address("room", "lounge", "main")


class Counter:
    """Counts the pictures of each message."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("count", lambda message: True, self.count)]

    async def count(self, ctx: Context) -> str:
        return f"{ctx.message.text}: {sum(part.kind == 'image' for part in ctx.message.parts)}"


def part(number: int, text: str = "") -> Message:
    parts = (Text(text), Image(Attachment(f"p{number}", "image/png", 1))) if text else (Image(Attachment(f"p{number}", "image/png", 1)),)
    return Message(f"{number}", f"lounge:{number}", LOUNGE, Person("a", "Ann"), parts, typed_command(text) or Said(), album="g1")


@pytest.fixture
async def routers(redis: Redis, keys: Keys) -> AsyncIterator[tuple[list[Router], Platform]]:
    """Two that share a platform."""
    platform, plugins = Platform(most=Limits(text=200, file=1000, edit_interval=0.0)), Plugins([Loaded("counter", Counter(), version="1")])
    made = [build(redis, keys, plugins, [platform], lease=1.2) for _ in range(2)]
    async with AsyncExitStack() as stack:
        for one in made:
            await stack.enter_async_context(running(one, plugins))
        yield made, platform


async def test_parts_that_come_to_any_router_are_one_message(routers: tuple[list[Router], Platform]) -> None:
    made, platform = routers
    for number, one in enumerate([part(9, "look"), part(10), part(11), part(10)]):
        await made[number % 2].deliver(one)
    await wait_until(lambda: platform.shown(LOUNGE) == ["look: 3"])
    await made[0].deliver(part(11))
    await made[1].deliver(part(12))
    await wait_until(lambda: platform.shown(LOUNGE)[1:] == [": 1"])
    await wait_until(lambda: not any(one.runner.held for one in made))


async def test_an_album_that_cannot_be_handed_on_holds_up_no_other(redis: Redis, keys: Keys) -> None:
    albums, tried = Albums(redis, keys, pause=0.0), list[str]()

    async def taken(message: Message) -> None:
        tried.append(message.id)
        if message.id == "1":
            raise ValueError("nobody understands this")

    for number in (1, 2):
        await albums.add(replace(part(number), album=f"g{number}"))
    await redis.hset(keys.album(f"{LOUNGE.conversation}/g2"), "lounge:9", "{")
    handing = asyncio.create_task(Gathering(albums, taken).run(["room"], 0.01))
    await wait_until(lambda: len(tried) == 2)

    async def through() -> bool:
        return not await redis.exists(keys.albums_due("room"))

    await wait_until(through)
    handing.cancel()
    await asyncio.wait([handing])
    assert tried == ["1", "2"]


def test_a_command_below_any_of_them_is_one() -> None:
    whole = together([part(11), part(10, "/look"), part(9)])
    assert whole.trigger == typed_command("/look")
    assert (whole.id, whole.event, whole.album, [one.kind for one in whole.parts]) == ("9", "lounge:9", "", ["text", *["image"] * 3])
