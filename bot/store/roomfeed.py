"""Follows rooms live: one blocking read for the whole process, however many look on. What stands in a room is in `rooms.py`."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.store.connection import blocking, guarded
from bot.store.exchanging import entries
from bot.store.keys import Keys
from bot.store.places import Came, Gone, Place, Present, RoomMessage, Writes

BLOCK_MS = 10_000
"""Shorter than the connection's patience, so that an idle room does not look like a dead server."""

PAUSE = 0.5
"""Seconds between tries while Redis is away."""

log = structlog.get_logger(__name__)

Change = RoomMessage | Gone | Came | Writes
Load = Callable[[Mapping[Place, Collection[str]]], Awaitable[list[Change]]]
People = Callable[[str], Awaitable[list[Present]]]


class Watch:
    """What one onlooker has not been given yet; of several changes of one message only the newest is kept."""

    def __init__(self) -> None:
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


@dataclass(slots=True)
class Touched:
    """What the stream tells of a place: which messages changed, True for those that are new; whether somebody came or left; who writes."""

    messages: dict[str, bool] = field(default_factory=dict)
    came: bool = False
    writers: dict[str, None] = field(default_factory=dict)

    def add(self, fields: Mapping[bytes, bytes]) -> None:
        """Adds an entry."""
        if b"by" in fields:
            self.writers[fields[b"by"].decode()] = None
        elif id := fields[b"id"].decode():
            self.messages[id] = self.messages.get(id, False) or b"new" in fields
        else:
            self.came = True


class Feed:
    """Reads the stream of changes, looks each change up once, and hands it to those who watch its place."""

    def __init__(self, redis: Redis, keys: Keys, load: Load, people: People) -> None:
        self._redis = redis
        self._keys = keys
        self._load = load
        self._people = people
        self._watches: defaultdict[str, set[Watch]] = defaultdict(set)
        self._everywhere: set[Watch] = set()
        self._reader: asyncio.Task[None] | None = None
        self._position = b""

    @contextlib.contextmanager
    def watching(self, places: Sequence[Place], news: bool) -> Iterator[Watch]:
        """Puts an onlooker in, with `news` also for what is said in other rooms; call `ready` before reading what stands there already."""
        watch, names = Watch(), [place.key for place in places]
        for name in names:
            self._watches[name].add(watch)
        if news:
            self._everywhere.add(watch)
        try:
            yield watch
        finally:
            self._everywhere.discard(watch)
            for name in names:
                self._watches[name].discard(watch)
                if not self._watches[name]:
                    del self._watches[name]

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
    async def _next(self) -> tuple[bytes, Mapping[str, Touched]]:
        """Where the stream has been read to, and what changed in each place that somebody watches."""
        found = await blocking(entries(self._redis, {self._keys.room_changes(): self._position}, count=256, block=BLOCK_MS))
        position, changed = self._position, defaultdict[str, Touched](Touched)
        for id, fields in [entry for some in found.values() for entry in some]:
            position, name = id, fields[b"place"].decode()
            if name in self._watches or (b"new" in fields and self._everywhere and _open(name)):
                changed[name].add(fields)
        return position, changed

    async def _pass_on(self, changed: Mapping[str, Touched]) -> None:
        """What changed in all places is looked up in one call: sixteen answers grow at the same moment."""
        for name, touched in changed.items():
            place = Place.of(name)
            for id in touched.writers:
                self._put(Writes(place, id))
            if touched.came:
                self._put(Came(place, tuple(await self._people(place.room))))
        for change in await self._load({Place.of(name): touched.messages for name, touched in changed.items()}):
            name = change.place.key
            self._put(change, news=_open(name) and changed[name].messages[change.id])

    def _put(self, change: Change, *, news: bool = False) -> None:
        here = self._watches.get(change.place.key, set())
        for watch in here | self._everywhere if news else here:
            watch.put(change)


def _open(name: str) -> bool:
    """Whether it is a room itself: no thread of one, and nobody's own conversation."""
    return "/" not in name
