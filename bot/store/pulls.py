"""How far models have come that are brought here, for whoever looks on. Bringing them: `bot/pull/`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys

KEPT = 86_400
"""Seconds for which it is known what came."""


class Pulled(BaseModel):
    """`doing` is a phrase for people, `done` of `total` are bytes (0 of 0: nobody knows); `fault` says why it goes no further."""

    model_config = ConfigDict(frozen=True)

    model: str
    doing: str
    done: int = 0
    total: int = 0
    fault: str = ""


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
    async def all(self) -> list[Pulled]:
        """All of the last day, by name."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._keys.pulls()))
        return sorted(map(Pulled.model_validate_json, found.values()), key=lambda one: one.model)
