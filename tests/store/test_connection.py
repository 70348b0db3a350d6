"""Connections under load."""

from __future__ import annotations

import asyncio
import time

from redis.asyncio import Redis

from bot.store.connection import MOST_CONNECTIONS
from bot.store.keys import Keys
from bot.store.tickets import Tickets


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


async def test_who_is_told_to_stop_while_waiting_for_redis_stops_at_once(redis: Redis, keys: Keys) -> None:
    """Whenever it is told: while it connects, while it sends, or later."""
    tickets = Tickets(redis, keys, "r")
    for pause in [number * 0.00005 for number in range(60)]:
        waiting = asyncio.create_task(tickets.wait(["room"], 5.0))
        await asyncio.sleep(pause)
        began = time.monotonic()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert time.monotonic() - began < 1.0
        await redis.connection_pool.disconnect()  # so that the next connects anew
