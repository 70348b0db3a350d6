"""Follows rooms live: one blocking read for the whole process, however many look on. What stands in a room is in `rooms.py`."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.store.connection import blocking, guarded
from bot.store.keys import Keys
from bot.store.places import Came, Gone, Place, RoomMessage

BLOCK_MS = 10_000
"""Shorter than the connection's patience, so that an idle room does not look like a dead server."""

PAUSE = 0.5
"""Seconds between tries while Redis is away."""

log = structlog.get_logger(__name__)

Change = RoomMessage | Gone | Came
Load = Callable[[Place, Sequence[str]], Awaitable[list[Change]]]


class Watch:
    """What one onlooker has not been given yet; of several changes of one message only the newest is kept."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = frozenset(places)
        self._pending: dict[tuple[Place, str], Change] = {}
        self._some = asyncio.Event()

    def put(self, change: Change) -> None:
        """Adds a change."""
        self._pending[change.place, change.id] = change
        self._some.set()

    async def take(self) -> list[Change]:
        """Everything that has changed since the last call, as soon as there is something."""
        await self._some.wait()
        self._some.clear()
        taken, self._pending = self._pending, {}
        return list(taken.values())


class Feed:
    """Reads the stream of changes and hands each change to those who watch its place."""

    def __init__(self, redis: Redis, keys: Keys, load: Load) -> None:
        self._redis = redis
        self._keys = keys
        self._load = load
        self._watches: set[Watch] = set()
        self._reader: asyncio.Task[None] | None = None
        self._position = b""

    @contextlib.contextmanager
    def watching(self, places: Sequence[Place]) -> Iterator[Watch]:
        """Puts an onlooker in; call `ready` before reading what stands there already."""
        watch = Watch(places)
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    async def ready(self) -> None:
        """Returns when every later change is going to be seen."""
        if not self._position:
            self._position = await self._newest()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Stops reading."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])

    @guarded
    async def _newest(self) -> bytes:
        found: Any = await self._redis.xrevrange(self._keys.room_changes(), count=1)
        newest: bytes = found[0][0] if found else b"0-0"
        return newest

    async def _read(self) -> None:
        while True:
            try:
                position, changed = await self._next()
                await self._pass_on(changed)
            except StoreError:
                await asyncio.sleep(PAUSE)
            except Exception:  # a fault of ours must not freeze every tab
                log.exception("rooms cannot be followed")
                await asyncio.sleep(PAUSE)
            else:
                self._position = position

    @guarded
    async def _next(self) -> tuple[bytes, dict[Place, list[str]]]:
        """Where the stream has been read to, and the ids that changed in each place that somebody watches."""
        found: Any = await blocking(self._redis.xread({self._keys.room_changes(): self._position}, count=256, block=BLOCK_MS))
        watched = {place.key.encode(): place for watch in self._watches for place in watch.places}
        position, changed = self._position, defaultdict[Place, dict[str, None]](dict)
        for id, fields in [entry for _, entries in found for entry in entries]:
            position = id
            if place := watched.get(fields[b"place"]):
                changed[place][fields[b"id"].decode()] = None
        return position, {place: list(ids) for place, ids in changed.items()}

    async def _pass_on(self, changed: Mapping[Place, Sequence[str]]) -> None:
        for place, ids in changed.items():
            came: list[Change] = [Came(place)] if "" in ids else []
            for change in came + await self._load(place, [id for id in ids if id]):
                for watch in [watch for watch in self._watches if place in watch.places]:
                    watch.put(change)
