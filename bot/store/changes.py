"""Redis tells that something was written, to whoever waits for it; nothing is asked meanwhile. What was written: whoever waits looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from bot.store.connection import PROBE, guarded
from bot.store.keys import Keys


class Changes:
    """Writes to keys whose names, below the prefix, begin with one of these families; none may begin with another.

    They are the notices of Redis's client-side caching in its broadcasting mode. They come over a connection of their own, and only while
    somebody waits: a write that nobody waits for costs nothing, and a flood of writes makes no flood of notices, because one is enough.
    """

    def __init__(self, redis: Redis, keys: Keys, *families: str) -> None:
        self._pool: Any = redis.connection_pool
        self._prefixes = [f"{keys.prefix}:{family}" for family in families]

    @asynccontextmanager
    async def heard(self) -> AsyncIterator[Notices]:
        """For one who waits; nothing is connected before they begin."""
        connection = self._pool.make_connection()
        try:
            yield Notices(connection, self._prefixes)
        finally:
            await connection.disconnect(nowait=True)


class Notices:
    """That something was written, as often as it is waited for."""

    def __init__(self, connection: Any, prefixes: Sequence[str]) -> None:
        self._connection = connection
        self._prefixes = [word for prefix in prefixes for word in ("PREFIX", prefix)]

    @guarded
    async def begin(self) -> None:
        """What is written from now on ends the next `wait`."""
        await self._ask("ON", "BCAST", *self._prefixes)

    @guarded
    async def wait(self, seconds: float) -> None:
        """Returns when something was written since `begin`, or after so long. Who is cancelled here begins anew."""
        await self._connection.read_response(timeout=seconds, push_request=True)
        await self._ask("OFF")

    async def _ask(self, *words: str) -> None:
        async with asyncio.timeout(PROBE):  # whoever waits is to hear from its next look that the store is away
            await self._connection.send_command("CLIENT", "TRACKING", *words)
            await self._connection.read_response()
