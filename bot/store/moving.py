"""A server that goes on under another id takes along what was chosen, remembered and kept for it. Who notices: a connector."""

from __future__ import annotations

from typing import cast

from redis.asyncio import Redis

from bot.messages import Address
from bot.store.connection import guarded
from bot.store.keys import Keys


class Moving:
    """Moves everything at once; what the new id has already stays as it is."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def move(self, old: Address, new: Address) -> None:
        """A second time it finds nothing to do."""
        keys = self._keys
        await self._rename(keys.server(old.tenant), keys.server(new.tenant))
        await self._rename(keys.audit(old.tenant), keys.audit(new.tenant))
        await self._rename(keys.turns(old.conversation), keys.turns(new.conversation))
        await self._rename(keys.turns_meta(old.conversation), keys.turns_meta(new.conversation))
        await self._rename(keys.heard(old.tenant), keys.heard(new.tenant))
        await self._redis.hdel(keys.present(old.connector), old.server)  # of the new one the connector tells
        await self._data("server", old.tenant, new.tenant)
        await self._data("chat", old.conversation, new.conversation)

    async def _data(self, scope: str, old: str, new: str) -> None:
        """What plugins keep, and the index of it."""
        index, target = self._keys.data_index(scope, old), self._keys.data_index(scope, new)
        for name in [cast("bytes", one).decode() for one in await self._redis.smembers(index)]:
            moved = name.replace(self._keys.owned(scope, old), self._keys.owned(scope, new), 1)
            if await self._rename(name, moved):
                await self._redis.sadd(target, moved)
        await self._redis.delete(index)

    async def _rename(self, old: str, new: str) -> bool:
        return bool(await self._redis.exists(old) and await self._redis.renamenx(old, new))
