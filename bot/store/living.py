"""Which processes live on a store, as they tell it themselves. What the workers among them serve: `queue.py`."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys


@guarded
async def living(redis: Redis, keys: Keys) -> Sequence[str]:
    """Of "routers" and "workers" those of which one lives; one that was killed counts for a few seconds more. Raises StoreError."""
    seconds, micros = await redis.time()
    now = seconds * 1000 + micros // 1000
    return [name for name, key in (("routers", keys.routers()), ("workers", keys.workers())) if await redis.zcount(key, now, "+inf")]
