"""Connections under load."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from bot.store.connection import MOST_CONNECTIONS
from bot.store.keys import Keys


async def test_who_waits_for_a_connection_is_not_overtaken_by_newcomers(redis: Redis, keys: Keys) -> None:
    """Callers that come back at once, as a flood does, must not starve one that came before."""
    flooding = True

    async def flood() -> None:
        while flooding:
            await redis.get(keys.button("nothing"))

    floods = [asyncio.create_task(flood()) for _ in range(MOST_CONNECTIONS * 2)]
    await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.wait_for(redis.get(keys.button("nothing")), 5.0)
    flooding = False
    await asyncio.gather(*floods)
