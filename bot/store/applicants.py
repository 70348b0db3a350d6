"""Servers, and people alone with the bot, that wait to be let in, and those that were. Who decides: `bot/router/admitting.py`."""

from __future__ import annotations

from typing import cast

from redis.asyncio import Redis

from bot.house import Applicant
from bot.messages import Address
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.tickets import Write

WAITS = 30 * 86_400
"""Seconds for which it is remembered that somebody waits, or was refused; whoever comes later is somebody new."""


class Applicants:
    """Reads who waits, and says which writes decide."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def apply(self, applicant: Applicant) -> Applicant:
        """The applicant as it was first seen."""
        name = self._keys.applicant(applicant.address.tenant)
        found = cast("bytes | None", await self._redis.set(name, applicant.model_dump_json(), nx=True, get=True, ex=WAITS))
        return applicant if found is None else Applicant.model_validate_json(found)

    @guarded
    async def get(self, server: str) -> Applicant:
        """One that waits, or as much as its name tells of a server that does not."""
        found = await self._redis.get(self._keys.applicant(server))
        return Applicant(address=Address.of(server), name=server) if found is None else Applicant.model_validate_json(found)

    @guarded
    async def waiting(self) -> list[Applicant]:
        """Those that nobody has decided about, the longest first."""
        names = [name async for name in self._redis.scan_iter(self._keys.applicant("*"), count=1000)]
        found = cast("list[bytes | None]", await self._redis.mget(names)) if names else []
        read = [Applicant.model_validate_json(one) for one in found if one is not None]
        return sorted((one for one in read if not one.refused), key=lambda one: one.at)

    def admitting(self, server: str) -> list[Write]:
        """The writes that let a server in; whoever has its choices in memory reads them anew."""
        name = self._keys.server(server)
        return [["HSET", name, "admitted", "1"], ["HINCRBY", name, "version", 1], ["PERSIST", name], ["DEL", self._keys.applicant(server)]]

    def refusing(self, applicant: Applicant) -> list[Write]:
        """The writes that keep it out, for as long as it is remembered; it may have been in."""
        tenant = applicant.address.tenant
        name, refused = self._keys.server(tenant), applicant.model_copy(update={"refused": True})
        record: Write = ["SET", self._keys.applicant(tenant), refused.model_dump_json(), "EX", WAITS]
        return [["HDEL", name, "admitted"], ["HINCRBY", name, "version", 1], ["EXPIRE", name, WAITS], record]

    @guarded
    async def decide(self, writes: list[Write]) -> None:
        """Makes these writes, where no ticket does."""
        async with self._redis.pipeline(transaction=True) as batch:
            for write in writes:
                batch.execute_command(*write)
            await batch.execute()

    @guarded
    async def note(self, server: str) -> None:
        """The server has come in through an open door, and stays in when it is closed; nothing that is in memory is wrong by that."""
        await self._redis.hset(self._keys.server(server), "admitted", "1")
