"""The dead list: jobs that killed three workers. Who puts them there: `lua/queue_reap.lua`; who asks anew: `bot/router/`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.exchanging import Exchange
from bot.store.keys import Keys
from bot.store.queue import MOST_CRASHES
from bot.store.tickets import Body

KEPT = 604_800
"""Seconds for which a job stays there."""

AT_ONCE = 32
"""How many are asked anew in one round, so that none takes long."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dead:
    """A job that killed its workers: what it wanted, of which server, when (seconds since 1970), and which worker was the last.

    `ref` is what the person was told and the log names; `retry` says that it is about to be asked again.
    """

    id: str
    wanted: str
    server: str
    at: float
    worker: str
    ref: str
    crashes: int = MOST_CRASHES
    retry: bool = False


class DeadList:
    """Lists, retries and drops them.

    To retry is to ask the question anew, in whole: the ticket that the job was of has ended with an apology, and a new one
    for the same message and route is answered by a message of its own, which replies to the question.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._ask = Exchange(redis)
        self._keys = keys
        self._strange: set[str] = set()
        """What this router was to ask anew, does not understand, and has said so."""

    @guarded
    async def all(self) -> list[Dead]:
        """Newest first."""
        ids = [cast("bytes", id).decode() for id in await self._redis.zrevrange(self._keys.dead(), 0, -1)]
        again = set(cast("list[bytes]", await self._redis.lrange(self._keys.retries(), 0, -1)))
        return [dead for id in ids if (dead := await self._read(id, id.encode() in again)) is not None]

    async def _read(self, id: str, retry: bool) -> Dead | None:
        fields = ["want", "tenant", "at", "worker", "ticket"]
        found = [cast("bytes", value).decode() for value in await self._redis.hmget(self._keys.dead_job(id), fields) if value is not None]
        if len(found) < len(fields):
            return None
        want, tenant, at, worker, ticket = found
        return Dead(id, want, tenant.replace("%7C", "|"), int(at) / 1000, worker, ticket[:10], retry=retry)

    @guarded
    async def retry(self, ids: Sequence[str]) -> None:
        """Has a router ask them anew, within a second or when one is there."""
        async with self._redis.pipeline(transaction=True) as batch:
            for id in ids:
                batch.lrem(self._keys.retries(), 0, id)
                batch.rpush(self._keys.retries(), id)
            batch.expire(self._keys.retries(), KEPT)
            await batch.execute()

    @guarded
    async def give_up(self, id: str) -> None:
        """Asks it anew no more, and keeps it on the list: the operator sees that it is there still."""
        await self._redis.lrem(self._keys.retries(), 0, id)

    @guarded
    async def drop(self, ids: Sequence[str]) -> None:
        """Forgets them, with what was asked."""
        async with self._redis.pipeline(transaction=True) as batch:
            for id in ids:
                batch.lrem(self._keys.retries(), 0, id)
                batch.zrem(self._keys.dead(), id)
                batch.delete(self._keys.dead_job(id))
            await batch.execute()

    @guarded
    async def retried(self, connectors: Collection[str]) -> dict[str, Body | None]:
        """The first that are to be asked anew through one of these connectors, by id; None where the ticket is not known any more.

        What this router does not understand is left to one that does, and holds up none behind it.
        """
        ids = [cast("bytes", id).decode() for id in await self._ask("LRANGE", self._keys.retries(), 0, -1)]
        self._strange &= set(ids)
        if not ids:
            return {}
        async with self._redis.pipeline(transaction=False) as batch:
            for id in ids:
                batch.hget(self._keys.dead_job(id), "tenant")
            tenants = await batch.execute()
        found: dict[str, Body | None] = {}
        for id, tenant in zip(ids, tenants, strict=True):
            ours = tenant is None or (tenant.decode().partition("/")[0] in connectors and id not in self._strange)
            if ours and len(found) < AT_ONCE:
                await self._find(id, found)
        return found

    async def _find(self, id: str, found: dict[str, Body | None]) -> None:
        body = await self._redis.hget(self._keys.dead_job(id), "ticket-body")
        try:
            found[id] = Body.model_validate_json(body) if body else None
        except ValidationError:  # another release wrote it, whose routers may be there, too
            self._strange.add(id)
            log.error("this router does not understand a job of the dead list, and leaves it to others", job=id)
