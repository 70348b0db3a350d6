"""What is wrong with plugins just now: those that rest, and those that routers leave out. Who decides that: the router."""

from __future__ import annotations

import time
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict
from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.translation import Phrase

KEPT = 7 * 24 * 3600
"""Seconds after which a plugin that was left out is tried again."""


def _phrased(what: Any) -> Any:
    """Those of before were words of one language."""
    return Phrase(what) if isinstance(what, str) else what


class Trouble(BaseModel):
    """`what` is a sentence; `until` in seconds since 1970. One that is `out` is not loaded in this `version` of it."""

    model_config = ConfigDict(frozen=True)

    plugin: str
    what: Annotated[Phrase, BeforeValidator(_phrased)]
    until: float
    version: str = ""
    out: bool = False


class Troubles:
    """One hash for all plugins."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def tell(self, trouble: Trouble) -> None:
        """The newest of a plugin counts."""
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(self._keys.troubles(), trouble.plugin, trouble.model_dump_json())
            batch.expire(self._keys.troubles(), KEPT)
            await batch.execute()

    @guarded
    async def all(self) -> dict[str, Trouble]:
        """Those that are not over, by plugin."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._keys.troubles()))
        read = (Trouble.model_validate_json(one) for one in found.values())
        return {one.plugin: one for one in read if one.until > time.time()}

    @guarded
    async def forget(self, plugin: str) -> bool:
        """Whether there was anything."""
        return bool(await self._redis.hdel(self._keys.troubles(), plugin))
