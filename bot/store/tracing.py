"""Calls of plugins, told to whoever listens just now; nothing is kept. What a call is: `bot/calls.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import cast

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys


class Tracing:
    """A channel of Redis's own publish and subscribe."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._channel = keys.trace()

    @guarded
    async def heard(self) -> bool:
        """Whether anybody listens."""
        ((_, listeners),) = cast("list[tuple[bytes, int]]", await self._redis.pubsub_numsub(self._channel))
        return listeners > 0

    @guarded
    async def tell(self, lines: Sequence[str]) -> None:
        """Each a line."""
        await self._redis.publish(self._channel, "\n".join(lines))

    async def follow(self) -> AsyncIterator[str]:
        """Lines as they come, until cancelled."""
        async with self._redis.pubsub() as heard:
            await heard.subscribe(self._channel)
            async for message in heard.listen():
                if message["type"] == "message":
                    for line in message["data"].decode().splitlines():
                        yield line
