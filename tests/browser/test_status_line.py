"""A status line in a real browser: what it tells, its picture, and its buttons."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from redis.asyncio import Redis

from bot.jobs import Partial, Preview, Progress
from bot.store.blobs import Blobs
from bot.store.connection import connect
from bot.store.duty import ALL, Duty, Leave
from bot.store.keys import Keys
from bot.store.shifts import Claim, Offer, Shift
from bot.testing import wait_until
from tests.browser.conftest import House, Visitors, clear
from tests.browser.test_room_page import PIXEL
from tests.hands import Said

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SLOW, FINCH = Offer("slow", ["say", "say:slow"], resident=False), Offer("finch", ["say:finch"])


@dataclass
class Place:
    """A room in which a router works, and both workers."""

    visitors: Visitors
    redis: Redis
    keys: Keys
    slow: Shift
    finch: Shift

    async def claim(self, shift: Shift, offer: Offer) -> Claim:
        async def one() -> list[Claim]:
            return (await shift.claim([offer])).claims

        [claim] = await wait_until(one)
        return claim

    async def emit(self, claim: Claim, partial: Partial) -> None:
        assert await self.slow.emit_all([(claim, partial.model_dump_json())]) == [True]


@pytest_asyncio.fixture(loop_scope="session")
async def place(redis_url: str, chromium: Browser, tmp_path: Path) -> AsyncIterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    house = House(redis_url, tmp_path, port, program="working.py")
    house.start()
    redis, keys = connect(redis_url), Keys(house.prefix)
    slow = Shift(redis, keys, "slow.1", [SLOW], lease=60.0)
    finch = Shift(redis, keys, "finch.1", [FINCH], owns=False, lease=60.0)
    for shift in (slow, finch):
        await shift.renew()
    await house.up()
    visitors = Visitors(house, chromium)
    yield Place(visitors, redis, keys, slow, finch)
    for context in visitors.contexts:
        await context.close()
    assert house.process is not None
    house.process.terminate()
    assert house.process.wait(10) == 0
    for shift in (slow, finch):
        await shift.sign_off()
    await redis.aclose()
    await clear(house)


async def test_a_status_line_tells_shows_and_offers_until_it_is_the_answer(place: Place) -> None:
    ann, ben = await place.visitors.tab("Ann"), await place.visitors.tab("Ben")
    await ann.say("/say")
    await ann.sees("You are next.")
    claim = await place.claim(place.slow, SLOW)
    await ann.sees("Loading the model.")
    await place.slow.loaded(SLOW, 1.0, [claim])
    await place.emit(claim, Progress(done=2, total=4, unit="steps"))
    await ann.sees("2 of 4 steps")
    await place.emit(claim, Preview(image=await Blobs(place.redis, place.keys).put(PIXEL, "image/png", "so-far.png")))
    await ann.page.locator(".message.busy img[alt='How it looks so far']").wait_for()
    await ben.page.locator(".message.busy .keys button", has_text="Cancel").click()
    await ben.sees("Only the person who asked and the admins of this server can do this.")
    await ann.page.bring_to_front()
    await ann.page.locator(".message.busy .keys button", has_text="Cancel").click()
    await ann.sees("Cancelled.")
    assert await ann.page.locator(".message", has_text="Only the person who asked").count() == 0, "a refused click is nobody else's affair"
    await Duty(place.redis, place.keys).order([ALL], Leave("pause", time.time() + 7190.0))
    await ann.say("/say")
    await ann.sees("This is paused and goes on in about 2 hours.")
    await ann.page.locator(".message.busy .keys button", has_text="A smaller one, now").click()
    chirp = await place.claim(place.finch, FINCH)
    await place.finch.finish(chirp, Said(words="chirp").model_dump_json(), 0.1)
    await ann.sees("chirp")
    assert await ann.page.locator(".message.busy").count() == 0
    await Duty(place.redis, place.keys).resume([ALL])
    assert ann.faults == ben.faults == []
