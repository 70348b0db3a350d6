"""Calls of plugins, told to whoever listens just now; nothing is kept. What a call is: `bot/calls.py`."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from bot.errors import StoreError
from bot.store.connection import guarded
from bot.store.exchanging import Exchange
from bot.store.keys import Keys

SILENCE = 10.0
"""Seconds without a word after which Redis is asked whether it is still there, and after which it is not when it says nothing to that."""

T = TypeVar("T")


class Tracing:
    """A channel of Redis's own publish and subscribe."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._ask = Exchange(redis)
        self._channel = keys.trace()

    @guarded
    async def heard(self) -> bool:
        """Whether anybody listens."""
        _, listeners = cast("tuple[bytes, int]", await self._ask("PUBSUB", "NUMSUB", self._channel))
        return listeners > 0

    @guarded
    async def tell(self, lines: Sequence[str]) -> None:
        """Each a line."""
        await self._redis.publish(self._channel, "\n".join(lines))

    async def follow(self) -> AsyncGenerator[str, None]:
        """Lines as they come, until cancelled. Raises StoreError once Redis is away, also where its machine went without a word."""
        async with self._redis.pubsub() as heard:
            await _asked(heard.subscribe(self._channel))
            while True:
                message = await _next(heard)
                if message["type"] == "message":
                    for line in message["data"].decode().splitlines():
                        yield line


async def _next(heard: PubSub) -> dict[str, Any]:
    """The next message; Redis is asked whether it is there when none comes."""
    for _ in range(2):
        until = time.monotonic() + SILENCE
        while (left := until - time.monotonic()) > 0:
            message: dict[str, Any] | None = await _asked(heard.get_message(timeout=left))
            if message:  # nothing comes of what the library asks by itself
                return message
        await _asked(heard.ping())
    raise StoreError(f"Redis has been silent for {2 * SILENCE:.0f} s, to a ping too: is its machine up, and can it be reached from here?")


@guarded
async def _asked(what: Awaitable[T]) -> T:
    return await what
