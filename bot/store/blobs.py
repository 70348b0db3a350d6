"""Bytes that jobs, results and replies refer to: kept for a day, then gone. Files that people download live elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import cast

from redis.asyncio import Redis

from bot.errors import UserError
from bot.messages import Blob
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.translation import tr

MOST_BYTES = 25 << 20
"""Bytes per blob: the most that any platform lets a bot send or fetch without paying."""

TTL = 86_400
"""Seconds."""


class Blobs:
    """Keeps bytes in Redis."""

    def __init__(self, redis: Redis, keys: Keys, ttl: int = TTL) -> None:
        self._redis = redis
        self._keys = keys
        self._ttl = ttl

    @guarded
    async def put(self, content: bytes, mime: str, name: str = "") -> Blob:
        """Stores the bytes. Raises UserError beyond 25 MiB."""
        if len(content) > MOST_BYTES:
            has, most = f"{len(content) / 1e6:.0f}", f"{MOST_BYTES / 1e6:.0f}"
            raise UserError(tr("{file} is {has} MB; at most {most} MB can be kept.", file=name or tr("This"), has=has, most=most))
        blob = Blob(uuid.uuid4().hex, mime, len(content), name)
        await self._redis.set(self._keys.blob(blob.id), content, ex=self._ttl)
        return blob

    @guarded
    async def get(self, blob: Blob) -> bytes:
        """The bytes. Raises UserError when they are gone."""
        content = cast("bytes | None", await self._redis.get(self._keys.blob(blob.id)))
        if content is None:
            raise UserError(tr("The file “{file}” is no longer kept. Please send it again.", file=blob.name or blob.id))
        return content

    @guarded
    async def forget(self, blobs: Sequence[Blob]) -> None:
        """Removes bytes that nobody is going to ask for."""
        if blobs:
            await self._redis.delete(*(self._keys.blob(blob.id) for blob in blobs))
