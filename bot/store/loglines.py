"""What routers, workers and the supervisor wrote to their logs lately, for whoever looks. How a line looks: `bot/log.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.store.connection import blocking, guarded
from bot.store.keys import Keys

MOST = 5000
"""Lines that are kept: one and a half megabytes at 300 bytes each."""

KEPT = 86_400
"""Seconds for which a line is kept."""


@dataclass(frozen=True, slots=True)
class Written:
    """A line as JSON; ids grow."""

    id: str
    line: str


class LogLines:
    """One stream for all processes, which is cut at its end."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def write(self, lines: Sequence[str]) -> None:
        """Adds these, in their order."""
        async with self._redis.pipeline(transaction=False) as batch:
            for line in lines:
                batch.xadd(self._keys.log(), {"line": line.encode(errors="replace")}, maxlen=MOST, approximate=True)
            batch.xtrim(self._keys.log(), minid=int((time.time() - KEPT) * 1000), approximate=False)
            batch.expire(self._keys.log(), KEPT)
            await batch.execute()

    @guarded
    async def newest(self, most: int) -> list[Written]:
        """At most so many, oldest first."""
        return _read(await self._redis.xrevrange(self._keys.log(), count=most))[::-1]

    @guarded
    async def since(self, id: str, most: int, wait: float = 0.001) -> list[Written]:
        """What was written after that one ("" for all), as soon as there is something, or nothing after `wait` seconds."""
        found: Any = await blocking(self._redis.xread({self._keys.log(): id or "0"}, count=most, block=round(wait * 1000)))
        return _read([entry for _, entries in found for entry in entries])


def _read(found: Any) -> list[Written]:
    return [Written(id.decode(), fields[b"line"].decode()) for id, fields in found]
