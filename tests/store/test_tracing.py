"""Calls of plugins as they are told: to who listens, while the store is there, and what is said once it is not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.store import tracing
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.tracing import Tracing
from bot.testing import wait_until
from tests.chaos.proxy import Pair, Proxy
from tests.store.tcp import Server


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    """The way to the store."""
    proxy = Proxy(server.port, random.Random(1))
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def away(proxy: Proxy) -> AsyncIterator[Redis]:
    """A client that goes that way."""
    client = connect(f"redis://127.0.0.1:{proxy.port}")
    yield client
    await client.aclose()


def vanish(pair: Pair) -> None:
    """As a machine without power: nothing comes any more, and no connection ends."""
    pair.trouble = "silence"


async def pings(redis: Redis) -> int:
    return int((await redis.info("commandstats")).get("cmdstat_ping", {"calls": 0})["calls"])


async def test_a_store_that_only_has_nothing_to_tell_is_asked_and_waited_for(
    server: Server, away: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "SILENCE", 0.05)
    before, told = await pings(server.redis), Tracing(server.redis, Keys())
    async with aclosing(Tracing(away, Keys()).follow()) as lines:
        following = asyncio.ensure_future(anext(lines))
        await wait_until(told.heard)

        async def asked() -> bool:
            return await pings(server.redis) - before > 4

        await wait_until(asked)
        await told.tell(["a call", "and another"])
        assert await following == "a call"
        assert await anext(lines) == "and another"


async def test_a_store_whose_machine_has_vanished_is_not_waited_for(
    server: Server, away: Redis, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "SILENCE", 0.2)
    async with aclosing(Tracing(away, Keys()).follow()) as lines:
        following = asyncio.ensure_future(anext(lines))
        await wait_until(Tracing(server.redis, Keys()).heard)
        assert proxy.hit(vanish, 1.0)
        with pytest.raises(StoreError, match=r"Redis has been silent for 0 s, to a ping too: is its machine up"):
            await asyncio.wait_for(following, 20.0)


async def test_a_store_that_has_ended_is_a_sentence(server: Server, away: Redis) -> None:
    async with aclosing(Tracing(away, Keys()).follow()) as lines:
        following = asyncio.ensure_future(anext(lines))
        await wait_until(Tracing(server.redis, Keys()).heard)
        server.kill()
        with pytest.raises(StoreError, match="Redis does not answer"):
            await asyncio.wait_for(following, 20.0)
