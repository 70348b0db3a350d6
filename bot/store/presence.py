"""Which servers the bot is in, and where the admins of each read. Who learns it: connectors; what is said there: `router/doorsteps.py`."""

from __future__ import annotations

from typing import cast

from pydantic import TypeAdapter
from redis.asyncio import Redis

from bot.messages import Address
from bot.store.connection import guarded
from bot.store.keys import Keys

address_json: TypeAdapter[Address] = TypeAdapter(Address)


class Presence:
    """One entry for each server; any router may ask."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def put(self, doorstep: Address) -> None:
        """The bot is in the server of this address, whose channel is where admins read, "" where that is not known."""
        await self._redis.hset(self._keys.present(doorstep.connector), doorstep.server, address_json.dump_json(doorstep))

    @guarded
    async def doorstep(self, about: Address) -> Address | None:
        """Where the admins of this address's server read, as far as that is known."""
        found = cast("bytes | None", await self._redis.hget(self._keys.present(about.connector), about.server))
        place = None if found is None else address_json.validate_json(found)
        return place if place is not None and place.channel else None

    @guarded
    async def servers(self, connector: str) -> list[str]:
        """All servers that the bot was in when it was last heard of them."""
        return [server.decode() for server in cast("list[bytes]", await self._redis.hkeys(self._keys.present(connector)))]

    @guarded
    async def forget(self, place: Address) -> None:
        """The bot is there no more."""
        await self._redis.hdel(self._keys.present(place.connector), place.server)
