"""Parts of albums that a platform brings one by one, kept until no more come. Making one message of them: `router/gathering.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import cast

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.messages import Message, message_json
from bot.store.connection import guarded
from bot.store.keys import Keys

PAUSE = 1.0
"""Seconds without another part after which an album is whole: a platform brings the next as soon as it hears that one was taken."""

KEPT = 3600
"""Seconds for which a part that is brought again is known."""

log = structlog.get_logger(__name__)


class Albums:
    """Any router adds parts, and any takes what is whole."""

    def __init__(self, redis: Redis, keys: Keys, *, pause: float = PAUSE) -> None:
        self._redis = redis
        self._keys = keys
        self._pause = pause

    @guarded
    async def add(self, part: Message) -> None:
        """Returns once the part is kept; one that is brought again is nothing new."""
        name = f"{part.address.conversation}/{part.album}"
        key = self._keys.album(name)
        await self._redis.hsetnx(key, part.event, message_json.dump_json(part).decode())
        if await self._redis.hget(key, part.event):
            async with self._redis.pipeline(transaction=True) as batch:
                batch.expire(key, KEPT)
                batch.zadd(self._keys.albums_due(part.address.connector), {name: time.time() + self._pause})
                await batch.execute()

    @guarded
    async def whole(self, connector: str) -> dict[str, list[Message]]:
        """Albums of which nothing more comes, by name: the parts that are not written down yet."""
        names = cast("list[bytes]", await self._redis.zrangebyscore(self._keys.albums_due(connector), 0, time.time()))
        return {name.decode(): await self._parts(name.decode()) for name in names}

    async def _parts(self, name: str) -> list[Message]:
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._keys.album(name)))
        parts: list[Message] = []
        for event, part in found.items():
            try:
                parts += [message_json.validate_json(part)] if part else []
            except ValidationError:  # it would hold up all albums for ever
                log.exception("a part of an album that nobody understands is left out", album=name, arrival=event.decode())
        return parts

    @guarded
    async def done(self, connector: str, name: str, parts: Sequence[Message]) -> None:
        """Their message is written down; one that is later than that is a message of its own."""
        async with self._redis.pipeline(transaction=True) as batch:
            for part in parts:
                batch.hset(self._keys.album(name), part.event, "")
            batch.zrem(self._keys.albums_due(connector), name)
            await batch.execute()
