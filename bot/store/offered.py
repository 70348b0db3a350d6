"""Which commands a platform was told to offer where, and how many it was told of today. Which they should be: `router/publishing.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys

DAY = 86_400
"""Seconds from the first new command on after which a platform counts anew."""

KEPT = 90 * DAY
"""Seconds after which it is told again, whether or not anything changed: it may have forgotten."""


@dataclass(frozen=True, slots=True)
class Told:
    """What it was told last: the digest of all of it, and the names."""

    digest: str = ""
    names: frozenset[str] = frozenset()


class Offered:
    """One entry for each server of each bot."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def get(self, bot: str, tenant: str) -> Told:
        """What the platform was told for this server, under this bot."""
        found = cast("bytes | None", await self._redis.get(self._keys.offered(bot, tenant)))
        if found is None:
            return Told()
        digest, *names = found.decode().split(" ")
        return Told(digest, frozenset(names))

    @guarded
    async def put(self, bot: str, tenant: str, digest: str, names: Iterable[str]) -> None:
        """Remembers what it was told now."""
        await self._redis.set(self._keys.offered(bot, tenant), " ".join([digest, *names]), ex=KEPT)

    @guarded
    async def forget(self, bot: str, tenant: str) -> None:
        """The bot is in this server no more."""
        await self._redis.delete(self._keys.offered(bot, tenant))

    @guarded
    async def servers(self, bot: str, connector: str) -> list[str]:
        """Where on this platform it was told anything."""
        start = self._keys.offered(bot, "")
        found = [key.decode() async for key in self._redis.scan_iter(f"{start}{connector}/?*", count=1000)]
        return [key.removeprefix(start) for key in found]

    @guarded
    async def spend(self, bot: str, tenant: str, count: int, most: int) -> int:
        """Counts new commands against the day's `most`; 0, or in how many seconds there is room for them again."""
        key = self._keys.offers_made(bot, tenant)
        if int(await self._redis.get(key) or 0) + count > most:
            return max(1, await self._redis.ttl(key))
        async with self._redis.pipeline(transaction=True) as batch:
            batch.incrby(key, count)
            batch.expire(key, DAY, nx=True)
            await batch.execute()
        return 0
