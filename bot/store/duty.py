"""When workers are off duty: pauses, quiet hours and drains, as the operator orders them. What a worker does then: `bot/worker/loop.py`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys

ALL = "*"
"""Stands for every worker that has a device of its own; those who ask an endpoint elsewhere use no memory here."""

CALL = "!"
"""What a worker finds among its orders when these have changed."""

LOAD, UNLOAD = "load ", "unload "
"""What it finds there, with a model's name, when the operator wishes that."""

Off = Literal["pause", "drain"]


@dataclass(frozen=True, slots=True)
class Leave:
    """A worker takes nothing: in a `pause` it frees its memory at once, in a `drain` it ends what it has begun.

    `until` in seconds since 1970, infinite until it is told otherwise.
    """

    off: Off
    until: float = math.inf


def leave(orders: Mapping[str, str], name: str, owns: bool, now: float) -> Leave | None:
    """What holds of these for a worker of this name at that moment; a pause before a drain, the longest pause before others.

    `owns` says whether it has a device of its own. The same in Lua: `duty` in `queue_common.lua`.
    """
    found = [read(orders[field]) for field in (name, f"quiet:{name}", *([ALL] if owns else [])) if field in orders]
    holding = [one for one in found if one.until > now]
    return max(holding, key=lambda one: (one.off == "pause", one.until), default=None)


def read(order: str) -> Leave:
    """An order as it is kept: what, and until when in ms, 0 for no end."""
    off, _, until = order.partition(" ")
    return Leave(cast("Off", off), int(until) / 1000 or math.inf)


def written(one: Leave) -> str:
    """The same the other way."""
    return f"{one.off} {0 if math.isinf(one.until) else round(one.until * 1000)}"


class Duty:
    """Orders workers off and back on duty; what is ordered outlives every process."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def order(self, names: Sequence[str], given: Leave) -> None:
        """From now on, also for those who come later."""
        await self._change([("HSET", self._keys.duty(), *(word for name in names for word in (name, written(given))))])

    @guarded
    async def quiet(self, name: str, until: float) -> None:
        """The worker's own quiet hours have begun; it is told so itself, and `resume` ends them early."""
        await self._change([("HSET", self._keys.duty(), f"quiet:{name}", written(Leave("pause", until)))])

    @guarded
    async def resume(self, names: Sequence[str]) -> bool:
        """Back on duty: those named, or with ALL whatever was paused, quiet hours included; a drain of one stays.

        False when none of them was off.
        """
        kept = await self.orders()
        fields = [field for name in names for field in (name, f"quiet:{name}")]
        if ALL in names:
            fields += [field for field, order in kept.items() if read(order).off == "pause"]
        await self._change([("HDEL", self._keys.duty(), *fields)])
        return not kept.keys().isdisjoint(fields)

    @guarded
    async def wish(self, name: str, model: str, *, loaded: bool) -> None:
        """Has the living workers of this name load a model, or unload it, as soon as the turn that they run has ended."""
        now = (await self._redis.time())[0]
        async with self._redis.pipeline(transaction=True) as batch:
            for worker in await self._living(now, name):
                batch.rpush(self._keys.orders(worker), f"{LOAD if loaded else UNLOAD}{model}")
                batch.expire(self._keys.orders(worker), 60)
            await batch.execute()

    async def _change(self, commands: Sequence[Sequence[str]]) -> None:
        """Forgets what is over, and calls everybody who lives."""
        now = (await self._redis.time())[0]
        over = [field for field, order in (await self.orders()).items() if read(order).until <= now]
        async with self._redis.pipeline(transaction=True) as batch:
            if over:
                batch.hdel(self._keys.duty(), *over)
            for command in commands:
                batch.execute_command(*command)
            for worker in await self._living(now):
                batch.rpush(self._keys.orders(worker), CALL)
                batch.expire(self._keys.orders(worker), 60)
            await batch.execute()

    async def _living(self, now: int, name: str = "") -> list[str]:
        found = await self._redis.zrangebyscore(self._keys.workers(), now * 1000, "+inf")
        known = [cast("dict[str, Any]", json.loads(cast("bytes", entry))) for entry in found]
        return [one["worker"] for one in known if name in ("", one.get("name", one["worker"]))]

    @guarded
    async def orders(self) -> dict[str, str]:
        """What is ordered, by name."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._keys.duty()))
        return {name.decode(): order.decode() for name, order in found.items()}

    @guarded
    async def leave(self, name: str, owns: bool) -> Leave | None:
        """Whether a worker of this name is off duty now."""
        seconds, micros = await self._redis.time()
        return leave(await self.orders(), name, owns, seconds + micros / 1e6)
