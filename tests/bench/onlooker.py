"""Looks on from the store at what stands in the room: kept as it comes, with the moment, read afterwards. No page is open, none is drawn.

Who asks what: `whole.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from redis.asyncio import Redis

from bot.messages import Text
from bot.store.connection import blocking
from bot.store.exchanging import entries, exchange
from bot.store.keys import Keys
from bot.store.places import Body, Place

KEYS = Keys()

STILL = 0.25
"""Seconds without a change after which an answer that says that it is whole is believed: of 103 none changed any more."""

Seen = tuple[float, str, bytes]
"""When a message stood so (seconds of `time.perf_counter`), its id, and what stood there."""


class Onlooker:
    """Sees every message of every place as it stands, again whenever it changes."""

    def __init__(self, redis: Redis) -> None:
        self.seen: defaultdict[str, list[Seen]] = defaultdict(list)
        """By the keys of places."""
        self._redis = redis
        self._after = b"0-0"
        self._more = asyncio.Event()

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Misses nothing that changes within the block."""
        newest = cast("list[Any]", await self._redis.xrevrange(KEYS.room_changes(), count=1))
        self._after = newest[0][0] if newest else self._after
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.wait((following,))
        if not following.cancelled():
            following.result()

    async def _follow(self) -> None:
        while True:
            found = await blocking(entries(self._redis, {KEYS.room_changes(): self._after}, block=10_000))
            changed: dict[tuple[str, str], None] = {}
            for self._after, fields in (entry for some in found.values() for entry in some):
                changed[fields[b"place"].decode(), fields[b"id"].decode()] = None
            bodies = await exchange(self._redis, [("HGET", KEYS.room_posts(place), f"body{id}") for place, id in changed])
            now = time.perf_counter()
            for (place, id), body in zip(changed, bodies, strict=True):
                self.seen[place].append((now, id, body or b""))
            self._more.set()

    async def more(self, seconds: float) -> bool:
        """Returns when something was seen since the last call; False when nothing was for so many seconds."""
        try:
            await asyncio.wait_for(self._more.wait(), seconds)
        except TimeoutError:
            return False
        self._more.clear()
        return True

    async def settled(self, asked: dict[Place, str]) -> None:
        """Returns when everybody is answered who asked something, by the id of that, and nothing more has come for a while."""
        while await self.more(STILL) or not all(self._answered(place, id) for place, id in asked.items()):
            pass

    def _answered(self, place: Place, asked: str) -> bool:
        stands = {id: body for _, id, body in self.seen[place.key] if id != asked}
        return any(stands.values()) and not any(b'"busy":true' in body for body in stands.values())

    def texts(self, place: Place, asked: str) -> list[tuple[float, str]]:
        """What was said after the message with the id `asked`, and when; an answer that took long is a message of its own at last."""
        return [(at, _text(body)) for at, id, body in self.seen[place.key] if int(id) > int(asked) and body]


def _text(body: bytes) -> str:
    return "\n".join(part.text for part in Body.model_validate_json(body).parts if isinstance(part, Text))
