"""How far models have come that are brought here, for whoever looks on. Bringing them: `bot/pull/`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys

KEPT = 86_400
"""Seconds for which it is known what came."""

SILENT = 60.0
"""Seconds after which nobody brings any more what nothing was noted of."""

READY = "ready"


class Pulled(BaseModel):
    """`doing` is a phrase for people, `done` of `total` are bytes (0 of 0: nobody knows); `fault` says why it goes no further.

    `at` is when it was noted, in seconds since 1970.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    doing: str
    done: int = 0
    total: int = 0
    fault: str = ""
    at: float = Field(default_factory=time.time)

    @property
    def over(self) -> bool:
        """Whether it is here, or goes no further."""
        return self.doing == READY or bool(self.fault)


class Pulls:
    """One hash for all models."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def note(self, steps: Iterable[Pulled]) -> None:
        """The newest of a model counts."""
        found: dict[Any, Any] = {one.model: one.model_dump_json() for one in steps}
        if found:
            async with self._redis.pipeline(transaction=True) as batch:
                batch.hset(self._keys.pulls(), mapping=found)
                batch.expire(self._keys.pulls(), KEPT)
                await batch.execute()

    @guarded
    async def forget(self, model: str) -> None:
        """Nobody brings it any more."""
        await self._redis.hdel(self._keys.pulls(), model)

    @guarded
    async def all(self) -> list[Pulled]:
        """All of the last day that are over or still come, by name."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._keys.pulls()))
        pulls = sorted(map(Pulled.model_validate_json, found.values()), key=lambda one: one.model)
        return [one for one in pulls if one.over or time.time() - one.at < SILENT]
