"""Takes out what names something that has passed: Redis lets go of whole keys, and tells nobody. When it is done: `bot/router/app.py`."""

from __future__ import annotations

from typing import cast

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.scripts import Scripts

LOOKED = 500
"""About so many keys, and names in an index, are looked at in one call, which takes the store half a millisecond."""

PAUSE = 10.0
"""Seconds between two looks: of a million keys each is seen every six hours."""


class Trimming:
    """Goes round through all keys. Several routers do so beside each other, and nothing happens twice."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._all = f"{keys.prefix}:*"
        self._indexes, self._metas = keys.data_index("", "").removesuffix(":").encode(), keys.turns_meta("").encode()
        scripts = Scripts(redis)
        self._trim, self._lapse = scripts("data_trim"), scripts("turns_lapse")
        self._at = 0

    @guarded
    async def once(self) -> None:
        """Looks at some keys, and next time at those that follow."""
        at, found = await self._redis.scan(self._at, match=self._all, count=LOOKED)
        for name in cast("list[bytes]", found):
            if name.startswith(self._indexes):
                await self._index(name)
            elif name.startswith(self._metas):
                await self._lapse(keys=[name])
        self._at = at

    async def _index(self, index: bytes) -> None:
        at, begun = 0, False
        while at or not begun:
            at, names = await self._redis.sscan(cast("str", index), at, count=LOOKED)
            await self._trim(keys=[index], args=names)
            begun = True
