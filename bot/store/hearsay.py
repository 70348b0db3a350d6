"""Topics and people that a server was heard to have, for platforms that list neither. Who hears of them: connectors."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from typing import Any, Literal, NamedTuple, cast

from redis.asyncio import Redis

from bot.messages import Address, Person
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.servers import Servers
from bot.tables import TalkingTable

Kind = Literal["channel", "person"]

DAY = 86_400

KEPT = 30 * DAY
"""Seconds for which a name is known that is heard no more; a server may want those of its people to be forgotten sooner."""

MOST: dict[Kind, int] = {"channel": 500, "person": 200}
"""Of a server, those who were heard of last."""

MOST_TOLD = 20_000
"""Names of which this process knows that they are written down, or not to be."""

UNASKED = 60.0
"""Seconds for which somebody who does not want to be remembered is not asked about again; they may have changed their mind anywhere."""


class Heard(NamedTuple):
    """A name, as it was heard `at` a time; `handle` is what somebody is mentioned by."""

    name: str
    at: float
    handle: str = ""


class Hearsay:
    """Names by id, of each server. `otherwise` is what the operator says of places that have chosen nothing."""

    def __init__(self, redis: Redis, keys: Keys, otherwise: TalkingTable = TalkingTable()) -> None:
        self._redis = redis
        self._keys = keys
        self._servers = Servers(redis, keys)
        self._otherwise = otherwise
        self._told: OrderedDict[tuple[str, str], tuple[str, str, float]] = OrderedDict()
        """Names and handles, and until when nothing else is to be done about them."""

    @guarded
    async def heard(self, server: Address, kind: Kind, id: str, name: str, *, handle: str = "", may_be_old: bool = False) -> None:
        """Writes it down, once a day and when it changes. Of who does not want to be remembered nothing is; a name that `may_be_old`
        replaces none.
        """
        entry, now = (server.tenant, f"{kind}/{id}"), time.time()
        *told, until = self._told.get(entry, ("", "", 0.0))
        if now < until and (may_be_old or told == [name, handle]):
            return
        wanted = kind == "channel" or bool(await self._wanted(server, [id]))
        if wanted:
            await self._write(*entry, Heard(name, now, handle), may_be_old)
        self._told[entry] = name, handle, now + (DAY if wanted else UNASKED)
        self._told.move_to_end(entry)
        if len(self._told) > MOST_TOLD:
            self._told.popitem(last=False)

    async def _write(self, tenant: str, field: str, heard: Heard, may_be_old: bool) -> None:
        key = self._keys.heard(tenant)
        if may_be_old and (known := cast("bytes | None", await self._redis.hget(key, field))):
            heard = heard._replace(name=_read(known).name)
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(key, field, json.dumps(heard))
            batch.expire(key, KEPT)
            batch.hlen(key)
            *_, count = await batch.execute()
        if count > sum(MOST.values()):
            await self._of(tenant)

    @guarded
    async def known(self, server: Address, kind: Kind) -> dict[str, str]:
        """Names by id, those that were heard last first; nobody who does not want to be remembered."""
        return {id: one.name for id, one in (await self._theirs(server, kind)).items()}

    @guarded
    async def called(self, server: Address, handle: str) -> Person | None:
        """Whom a handle means there."""
        people = await self._theirs(server, "person")
        return next((Person(id, one.name) for id, one in people.items() if one.handle.casefold() == handle.casefold()), None)

    async def _theirs(self, server: Address, kind: Kind) -> dict[str, Heard]:
        found = (await self._of(server.tenant))[kind]
        wanted = await self._wanted(server, list(found)) if kind == "person" else set(found)
        return {id: one for id, one in found.items() if id in wanted}

    async def _of(self, tenant: str) -> dict[Kind, dict[str, Heard]]:
        """All that is known, the newest first; what is too old or too much goes."""
        key, kept = self._keys.heard(tenant), await self._kept(tenant)
        found: Any = await self._redis.hgetall(key)
        read = sorted(((field.decode(), _read(one)) for field, one in found.items()), key=lambda entry: -entry[1].at)
        known: dict[Kind, dict[str, Heard]] = {"channel": {}, "person": {}}
        gone: list[str] = []
        for name, heard in read:
            kind: Kind = "person" if name.startswith("person/") else "channel"
            if len(known[kind]) < MOST[kind] and heard.at > time.time() - kept[kind]:
                known[kind][name.partition("/")[2]] = heard
            else:
                gone.append(name)
        if gone:
            await self._redis.hdel(key, *gone)
        return known

    async def _kept(self, tenant: str) -> dict[Kind, float]:
        chosen = (await self._servers.get(tenant)).choices.talking
        days = chosen.retention if "retention" in chosen.model_fields_set else self._otherwise.of(tenant, "").retention
        return {"channel": KEPT, "person": days * DAY}

    async def _wanted(self, server: Address, people: list[str]) -> set[str]:
        """Those of them who have not said that nothing of them is to be remembered."""
        if not people:
            return set()
        told: Any = await self._redis.smismember(self._keys.unremembered(), [f"{server.connector}/{id}" for id in people])
        return {id for id, unwanted in zip(people, told, strict=True) if not unwanted}


def _read(kept: bytes) -> Heard:
    return Heard(*json.loads(kept))
