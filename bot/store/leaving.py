"""What is kept for a server that the bot has left is forgotten after a while, unless it comes back. Who notices: a connector."""

from __future__ import annotations

import time
from typing import Any

from redis.asyncio import Redis

from bot.messages import Address
from bot.store.connection import guarded
from bot.store.keys import Keys

KEPT = 30 * 86_400
"""Seconds for which a server's choices, its log and what plugins keep for it outlast the bot's stay."""


class Leaving:
    """Starts the clock, and stops it."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def left(self, place: Address) -> None:
        """From now on nothing is chosen there any more; a second time changes nothing."""
        keys, tenant = self._keys, place.tenant
        names = [keys.audit(tenant), keys.data_index("server", tenant), *await self._data(tenant)]
        lasting = [name for name in names if await self._redis.ttl(name) == -1]
        said = [name for head in (keys.turns(tenant), keys.turns_meta(tenant)) async for name in self._redis.scan_iter(f"{head}/*")]
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(keys.server(tenant), "left", str(time.time()))
            batch.hincrby(keys.server(tenant), "version", 1)  # whatever is just being chosen comes too late
            for name in (keys.server(tenant), *lasting):
                batch.expire(name, KEPT)
            for one in said:
                batch.expire(one, KEPT, lt=True)
            if lasting:
                batch.sadd(keys.left(tenant), *lasting)
                batch.expire(keys.left(tenant), KEPT)
            await batch.execute()

    @guarded
    async def back(self, place: Address) -> None:
        """The bot is there, again or still: what lasted before lasts again."""
        keys, tenant = self._keys, place.tenant
        if not await self._redis.hdel(keys.server(tenant), "left"):
            return
        lasting: Any = await self._redis.smembers(keys.left(tenant))
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hincrby(keys.server(tenant), "version", 1)
            batch.delete(keys.left(tenant))
            for name in (keys.server(tenant), *lasting):
                batch.persist(name)
            await batch.execute()

    async def _data(self, tenant: str) -> list[str]:
        found: Any = await self._redis.smembers(self._keys.data_index("server", tenant))
        return [name.decode() for name in found]
