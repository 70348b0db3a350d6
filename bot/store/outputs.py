"""Follows the outputs of many jobs over one blocking read. What is in them is written by the scripts; who runs the jobs: `shifts.py`."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.errors import BotError, JobLost, StoreError
from bot.jobs import Partial, partial_json
from bot.store.connection import blocking, guarded
from bot.store.exchanging import Entries, entries
from bot.store.foresight import Place
from bot.store.keys import Keys

BLOCK = 1_000
"""Milliseconds of one read, and so the longest between two looks at the places of waiting jobs."""

PAUSE = 0.5
"""Seconds between tries while Redis is away."""

SOON = 0.2
"""Seconds after which the place of somebody new in line is looked at: most have begun by then, and looking ahead takes the processor."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """In line: so many jobs begin before it, and it begins in about so many seconds, None while nobody knows.

    `away` is in how many seconds somebody is on duty who serves it; 0 is now, infinite when nobody knows.
    """

    ahead: int
    seconds: float | None = None
    away: float = 0.0


@dataclass(frozen=True, slots=True)
class Running:
    """A worker has it; after a crash this comes again.

    While the worker still loads the model for it, `loading` is about how many seconds that takes, 0 while nobody knows.
    """

    loading: float | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """How it stands."""

    partial: Partial


@dataclass(frozen=True, slots=True)
class Finished:
    """The result, as JSON of its type."""

    result: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """Why there is no result."""

    error: BotError


Update = Waiting | Running | Shown | Finished | Broken


@dataclass(eq=False, slots=True)
class Followed:
    """One job that somebody follows, and how far it was read."""

    updates: asyncio.Queue[Update] = field(default_factory=asyncio.Queue)
    after: bytes = b"0-0"
    place: Place | None = None
    waiting: bool = True
    heard: float = -math.inf
    """When something of it was read last, on the monotonic clock."""

    def put(self, place: Place) -> None:
        """Tells of a new place in line, once."""
        if self.waiting and place != self.place:
            self.place = place
            self.updates.put_nowait(Waiting(place.ahead, place.seconds, place.away))


class Outputs:
    """One reader for all jobs that this process follows. While Redis is away it tries again, and misses nothing."""

    def __init__(
        self, redis: Redis, keys: Keys, places: Callable[[], Awaitable[dict[str, Place]]], read_error: Callable[[bytes], BotError]
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._places = places
        self._read_error = read_error
        self._followed: dict[str, list[Followed]] = {}
        self._newcomers: set[str] = set()
        self._reader: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._bell = keys.out(f"bell-{uuid.uuid4().hex}")
        self._rung = b"0-0"
        self._next_look = 0.0

    async def follow(self, id: str) -> AsyncIterator[Update]:
        """Updates of one job until it ends. Raises StoreError when Redis is away at the beginning."""
        one = Followed()
        self._followed.setdefault(id, []).append(one)
        self._newcomers.add(id)
        try:
            await self._ring()
            while True:
                update = await one.updates.get()
                yield update
                if isinstance(update, Finished | Broken):
                    return
        finally:
            self._followed[id].remove(one)
            if not self._followed[id]:
                del self._followed[id]
                self._newcomers.discard(id)

    @guarded
    async def _ring(self) -> None:
        """Makes the reader read the new job too."""
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read(), context=Context())  # its log lines are about no ticket
        async with self._redis.pipeline(transaction=False) as batch:
            batch.xadd(self._bell, {"ring": "1"}, maxlen=1)
            batch.expire(self._bell, 60)
            await batch.execute()

    async def _read(self) -> None:
        while True:
            try:
                await self._once()
            except StoreError as error:
                log.warning("who waits for a job waits for redis", fault=str(error))
                await asyncio.sleep(PAUSE)
            except Exception:  # everybody who follows a job lives by this reader
                log.exception("the outputs of jobs could not be read")
                await asyncio.sleep(PAUSE)

    @guarded
    async def _once(self) -> None:
        streams = {self._bell: self._rung}
        for id, ones in self._followed.items():
            streams[self._keys.out(id)] = ones[0].after if len(ones) == 1 else min((one.after for one in ones), key=_order)
        for name, said in (await blocking(entries(self._redis, streams, block=BLOCK))).items():
            if name == self._bell:
                self._rung = said[-1][0]
            else:
                self._pass_on(name.rpartition(":")[2], said)
        due = self._newcomers or time.monotonic() > self._next_look
        if due and (self._looking is None or self._looking.done()):  # on its own: what is said meanwhile must not wait for a long line
            self._looking = asyncio.create_task(self._look_around())

    def _pass_on(self, id: str, said: Entries) -> None:
        for one in self._followed.get(id, []):
            for entry, fields in said:
                if _order(entry) > _order(one.after):
                    one.after, one.waiting, one.place, one.heard = entry, fields[b"state"] == b"waiting", None, time.monotonic()
                    if not one.waiting and (update := self._update(fields)) is not None:
                        one.updates.put_nowait(update)

    def _update(self, fields: dict[bytes, bytes]) -> Update | None:
        """None for a partial of another release."""
        value = fields[b"value"]
        match fields[b"state"]:
            case b"finished":
                return Finished(value)
            case b"broken":
                return Broken(self._read_error(value))
            case b"partial":
                try:
                    return Shown(partial_json.validate_json(value))
                except ValidationError:
                    return None
            case _:
                return Running(float(value) if value else None)

    async def _look_around(self) -> None:
        """Until every newcomer has been told."""
        try:
            while True:
                if self._newcomers:
                    await asyncio.sleep(SOON)
                await self._look()
                if not self._newcomers:
                    return
        except StoreError as error:
            log.warning("places in line wait for redis", fault=str(error))
        except Exception:  # everybody in line lives by the next look
            log.exception("the places of waiting jobs could not be looked at")

    @guarded
    async def _look(self) -> None:
        """Tells those in line their place, newcomers at once, the others once a second; and who follows a forgotten job, that it is."""
        began = time.monotonic()
        everybody = began > self._next_look
        ids = list(self._followed if everybody else self._newcomers)
        if silent := [id for id in ids if self._silent(id, began)]:
            await self._look_at(silent)
        if everybody:  # a long line takes long to look at, and may then be looked at less often
            self._next_look = began + max(BLOCK / 1000, 10 * (time.monotonic() - began))
        self._newcomers.difference_update(ids)

    def _silent(self, id: str, now: float) -> bool:
        """Whether there is something to find out: what is being said of a job that runs says that it is there, and has no place."""
        return any(one.waiting or now - one.heard > BLOCK / 1000 for one in self._followed.get(id, ()))

    async def _look_at(self, ids: Sequence[str]) -> None:
        for id in await self._forgotten(ids):
            for one in self._followed.get(id, []):
                one.updates.put_nowait(Broken(JobLost("nobody knows this job any more")))
        waiting = any(one.waiting for id in ids for one in self._followed.get(id, []))
        places = await self._places() if waiting else {}
        for id in ids:
            for one in self._followed.get(id, []):
                if id in places:
                    one.put(places[id])

    async def _forgotten(self, ids: Sequence[str]) -> list[str]:
        if await self._redis.exists(*(self._keys.job(id) for id in ids)) == len(ids):
            return []
        return [id for id in ids if not await self._redis.exists(self._keys.job(id))]

    async def close(self) -> None:
        """Stops reading."""
        for task in (self._reader, self._looking):  # the reader first, which would look again
            if task is not None:
                task.cancel()
                await asyncio.wait([task])


def _order(entry: bytes) -> tuple[int, int]:
    first, _, second = entry.partition(b"-")
    return int(first), int(second)
