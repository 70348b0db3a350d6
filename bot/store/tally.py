"""How much was done, by the minute for an hour and by the hour for a day, over all routers. What runs at this moment: `snapshot.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import structlog
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.jobs import Answer, Picture, Result, Transcript
from bot.store.connection import guarded
from bot.store.keys import Keys

FLUSHED = 5.0
"""Seconds between two writes: what is counted costs nobody a call, and a router that dies takes so much of it along at most."""

What = Literal["requests", "seconds", "failed", "tokens", "pictures", "audio", "device", "errors"]
"""Requests that ended and the seconds that people waited for them, those that failed by our fault; tokens written, pictures drawn, and
seconds of sound that were listened to; seconds that devices worked, when the work has ended, and errors in logs."""

SERVER = "server:"

MINUTE, HOUR = 60, 3600

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A minute or an hour that begins `at` (seconds since 1970): how much of each, and requests by server."""

    at: int
    counts: Mapping[str, float]
    servers: Mapping[str, float]


class Tally:
    """Counts in memory, and writes now and then."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._counts: dict[tuple[int, str], float] = {}

    def ended(self, server: str, seconds: float, failed: bool) -> None:
        """A request of this server has its outcome."""
        self._add({"requests": 1, "seconds": max(0.0, seconds), "failed": failed, f"{SERVER}{server}": 1})

    def result(self, result: Result) -> None:
        """A model gave this."""
        match result:
            case Answer(tokens=tokens):
                self._add({"tokens": tokens})
            case Picture(others=others):
                self._add({"pictures": 1 + len(others)})
            case Transcript(seconds=seconds):
                self._add({"audio": seconds})

    def worked(self, seconds: float) -> None:
        """Devices did so much for a request that has ended."""
        if seconds > 0:
            self._add({"device": seconds})

    def erred(self, lines: int) -> None:
        """So many lines of a log were errors."""
        if lines:
            self._add({"errors": lines})

    def _add(self, counts: Mapping[str, float]) -> None:
        minute = int(time.time()) // MINUTE * MINUTE
        for what, much in counts.items():
            self._counts[minute, what] = self._counts.get((minute, what), 0.0) + much

    async def run(self) -> None:
        """Writes, for ever; what cannot be written now is written later."""
        while True:
            await asyncio.sleep(FLUSHED)
            try:
                await self.flush()
            except StoreError as error:
                log.debug("counts are kept for later", fault=str(error))

    @guarded
    async def flush(self) -> None:
        """Writes what was counted since."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        async with self._redis.pipeline(transaction=True) as batch:
            for (minute, what), much in counts.items():
                hour = minute // HOUR * HOUR
                if not what.startswith(SERVER):
                    batch.hincrbyfloat(self._keys.tally("minute", minute), what, much)
                batch.hincrbyfloat(self._keys.tally("hour", hour), what, much)
                batch.expire(self._keys.tally("minute", minute), 2 * HOUR)
                batch.expire(self._keys.tally("hour", hour), 26 * HOUR)
            try:
                await batch.execute()
            except BaseException:
                for key, much in counts.items():
                    self._counts[key] = self._counts.get(key, 0.0) + much
                raise

    async def hour(self, now: float) -> list[Stretch]:
        """The last sixty minutes, oldest first, with this one."""
        last = int(now) // MINUTE * MINUTE
        return await self._read("minute", range(last - 59 * MINUTE, last + 1, MINUTE))

    async def day(self, now: float) -> list[Stretch]:
        """The last 24 hours, oldest first, with this one."""
        last = int(now) // HOUR * HOUR
        return await self._read("hour", range(last - 23 * HOUR, last + 1, HOUR))

    @guarded
    async def _read(self, unit: str, moments: Sequence[int]) -> list[Stretch]:
        async with self._redis.pipeline(transaction=False) as batch:
            for moment in moments:
                batch.hgetall(self._keys.tally(unit, moment))
            found = await batch.execute()
        return [_stretch(moment, cast("dict[bytes, bytes]", fields)) for moment, fields in zip(moments, found, strict=True)]


def _stretch(at: int, fields: Mapping[bytes, bytes]) -> Stretch:
    known = {name.decode(): float(value) for name, value in fields.items()}
    servers = {name.removeprefix(SERVER): much for name, much in known.items() if name.startswith(SERVER)}
    return Stretch(at, {name: much for name, much in known.items() if not name.startswith(SERVER)}, servers)
