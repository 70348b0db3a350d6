"""An album whose parts are brought one by one is one message, whatever is brought again, too late, or to another router."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot import Context, Listener, Route, hookimpl
from bot.connector import Limits, typed_command
from bot.messages import Address, Attachment, Image, Message, Person, Said, Text
from bot.plugins import Loaded, Plugins
from bot.router.app import Router, build, running
from bot.router.gathering import Gathering, together
from bot.router.rounds import Beat
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


async def test_a_part_that_comes_while_its_album_is_handed_on_is_a_message_of_its_own(redis: Redis, keys: Keys) -> None:
    albums, heard = Albums(redis, keys, pause=0.0), list[str]()

    async def slow(message: Message) -> None:
        if not heard:
            await albums.add(part(3))
        heard.append(f"{message.id}: {len(message.parts)}")

    for number in (1, 2):
        await albums.add(part(number))
    handing = asyncio.create_task(Gathering(albums, slow).run(["room"], Beat(0.01)))
    await wait_until(lambda: len(heard) == 2)
    await wait_until(lambda: _nothing_due(redis, keys))
    handing.cancel()
    await asyncio.wait([handing])
    assert heard == ["1: 2", "3: 1"]


async def test_two_routers_hand_on_the_same_album_and_the_later_part_after_it(redis: Redis, keys: Keys) -> None:
    first, second = (Albums(redis, keys, pause=0.0) for _ in range(2))
    for number in (1, 2):
        await first.add(part(number))
    [of_first] = await first.whole("room")
    await second.add(part(3))
    [of_second] = await second.whole("room")
    assert [one.id for one in of_second.parts] == ["1", "2"] == [one.id for one in of_first.parts]
    await first.done(of_first)
    [later] = await first.whole("room")
    await second.done(of_second)
    assert [one.id for one in later.parts] == ["3"]
    await second.add(part(4))
    assert [album.parts for album in await second.whole("room")] == [later.parts], "what is being handed on stays as it is"
    await first.done(later)
    [last] = await first.whole("room")
    assert [one.id for one in last.parts] == ["4"]
    await first.done(last)
    assert await second.whole("room") == []
    assert await _nothing_due(redis, keys)


async def test_a_router_whose_clock_is_ahead_waits_for_all_parts(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    albums, now = Albums(redis, keys, pause=60.0), time.time
    await albums.add(part(1))
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    assert not await albums.whole("room")


async def test_an_album_that_cannot_be_handed_on_holds_up_no_other(redis: Redis, keys: Keys) -> None:
    albums, tried = Albums(redis, keys, pause=0.0), list[str]()

    async def taken(message: Message) -> None:
        tried.append(message.id)
        if message.id == "1":
            raise ValueError("nobody understands this")

    for number in (1, 2):
        await albums.add(replace(part(number), album=f"g{number}"))
    handing = asyncio.create_task(Gathering(albums, taken).run(["room"], Beat(0.01)))
    await wait_until(lambda: len(tried) == 2)
    await wait_until(lambda: _nothing_due(redis, keys))
    handing.cancel()
    await asyncio.wait([handing])
    assert tried == ["1", "2"]


async def test_a_part_of_another_release_is_left_to_it_and_said_once(redis: Redis, keys: Keys) -> None:
    albums, album = Albums(redis, keys, pause=0.0), keys.album(f"{LOUNGE.conversation}/g1")
    await albums.add(part(1))
    await redis.hset(album, "lounge:2", '{"parts": "of another kind"}')
    with capture_logs() as logs:
        [found] = await albums.whole("room")
        await albums.done(found)
        assert await albums.whole("room") == await albums.whole("room") == []
    assert [one.id for one in found.parts] == ["1"]
    assert [line["arrival"] for line in logs] == ["lounge:2"]
    assert await redis.hgetall(album) == {b"lounge:1": b"", b"lounge:2": b'{"parts": "of another kind"}'}
    assert not await _nothing_due(redis, keys), "it is there for who understands it"
    await redis.delete(album)
    assert await albums.whole("room") == []
    assert await _nothing_due(redis, keys), "and passes with its album"


async def _nothing_due(redis: Redis, keys: Keys) -> bool:
    return not await redis.exists(keys.albums_due("room"))


def test_a_command_below_any_of_them_is_one() -> None:
    whole = together([part(11), part(10, "/look"), part(9)])
    assert whole.trigger == typed_command("/look")
    assert (whole.id, whole.event, whole.album, [one.kind for one in whole.parts]) == ("9", "lounge:9", "", ["text", *["image"] * 3])
