"""Firings that plugins asked for: kept until they are due and turned into tickets. Which handler runs is the router's affair."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from bot.messages import Address, Person
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.scripts import Scripts
from bot.store.tickets import Write

HANDED_OUT = 10_000
"""Milliseconds a router has to turn a due firing into a ticket before another one is asked."""

MOST_AT_ONCE = 64

KEPT = 86_400.0
"""Seconds after its time for which a firing waits for a router that knows what to do: the others are being updated, a release was taken
back, or a plugin is being repaired.
"""

UNREACHED = 30 * KEPT
"""The same for a router that is connected to its chat's platform: a token may be out of use for longer than an update takes."""

SOONEST, LATEST = 2.0, 3_600.0
"""Seconds after which such a firing is handed out again, to whoever asks first: a quarter of what it has waited, within these."""

log = structlog.get_logger(__name__)


class Firing(BaseModel):
    """A Schedule route that is to run: whose, where, for whom, with what, when (seconds since 1970)."""

    model_config = ConfigDict(frozen=True)

    plugin: str
    name: str
    payload: Mapping[str, Any]
    address: Address
    person: Person
    at: float


@dataclass(frozen=True, slots=True)
class Outline:
    """What can be told of a firing whatever release wrote it: whose it is, where, and its time (seconds since 1970); "" and 0 where not."""

    connector: str = ""
    server: str = ""
    person: str = ""
    at: float = 0.0


def outline(firing: bytes) -> Outline:
    """Of a firing as it is written; of what is no firing there is nothing to tell."""
    try:
        found = json.loads(firing)
        where, who = found.get("address"), found.get("person")
        return Outline(_text(where, "connector"), _text(where, "server"), _text(who, "id"), _seconds(found.get("at")))
    except (ValueError, AttributeError, RecursionError):
        return Outline()


def _text(found: object, name: str) -> str:
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def _seconds(found: object) -> float:
    try:
        return float(found) if isinstance(found, int | float) else 0.0
    except OverflowError:
        return 0.0


class Schedules:
    """Keeps firings; a firing is handed out again until `done` says that its ticket is written."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._due = Scripts(redis)("schedule_due")

    def adding(self, id: str, firing: Firing) -> list[Write]:
        """The writes that add a firing."""
        return [
            ["HSET", self._keys.firings(), id, firing.model_dump_json()],
            ["ZADD", self._keys.firings_due(), round(firing.at * 1000), id],
        ]

    def removing(self, id: str) -> list[Write]:
        """The writes that take a firing back."""
        return [["HDEL", self._keys.firings(), id], ["ZREM", self._keys.firings_due(), id]]

    @guarded
    async def due(self) -> dict[str, Firing]:
        """Firings whose time has come, by id; others asking within ten seconds do not get the same."""
        found = await self._due(keys=[self._keys.firings_due(), self._keys.firings()], args=[HANDED_OUT, MOST_AT_ONCE])
        due: dict[str, Firing] = {}
        for id, firing in zip(found[::2], found[1::2], strict=True):
            try:
                due[id.decode()] = Firing.model_validate_json(firing)
            except ValidationError:
                if not await self.leave(id.decode(), outline(firing).at, KEPT, "this release cannot read it"):
                    log.error("a firing that nobody understands is forgotten", id=id.decode())
                    await self.done(id.decode())
        return due

    @guarded
    async def leave(self, id: str, at: float, kept: float, why: str) -> bool:
        """Leaves a firing to a router that knows what to do; False when its time `at` is not within the last `kept` seconds."""
        seconds, micros = await self._redis.time()
        now = seconds + micros / 1e6
        if not -1.0 < (late := now - at) < kept:
            return False
        pause = min(max(late / 4, SOONEST), LATEST) * random.uniform(0.75, 1.25)  # noqa: S311  no secret: no two routers stay in step
        log.warning("a firing is left to a router that can run it", id=id, why=why, again_in=round(pause))
        await self._redis.zadd(self._keys.firings_due(), {id: round((now + pause) * 1000)}, xx=True)
        return True

    @guarded
    async def find(self, id: str) -> Firing | None:
        """The firing of this id, or None when it was taken back or has run."""
        found = await self._redis.hget(self._keys.firings(), id)
        return None if found is None else Firing.model_validate_json(found)

    @guarded
    async def done(self, id: str) -> None:
        """Forgets a firing whose ticket is written."""
        async with self._redis.pipeline(transaction=True) as batch:
            for write in self.removing(id):
                batch.execute_command(*write)
            await batch.execute()
