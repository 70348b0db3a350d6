"""Lets a store's days pass in less time: with every look, what it keeps loses more of its lifetime. What people do: `__main__.py`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import cast

from redis.asyncio import Redis

DAY = 86_400.0

NOW = frozenset({"lead", "held", "paced", "wake", "work", "orders", "routers", "pages"})
"""Families that live for a minute at most: they are how processes hear of one another, who are no faster than they are."""

HASTEN = """
local gone, found = tonumber(ARGV[1]), {}
for at, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  if left >= 0 and gone > 0 then redis.call('PEXPIRE', key, math.max(left - gone, 1)) end
  found[at] = left
end
return found
"""

SOME = 1000
"""Keys of one call, so that nobody waits for long."""


def family(key: str) -> str:
    """What a key is one of."""
    return key.split(":")[1]


class Days:
    """The one scale of time: each of our days lasts `seconds`. All that lives longer than a minute is kept for so much less."""

    def __init__(self, redis: Redis, prefix: str, seconds: float) -> None:
        self.scale = DAY / seconds
        self.lives: dict[str, float] = {}
        """The longest lifetime that was seen, in seconds of the product's, by family."""
        self.left: dict[str, int] = {}
        """The lifetime that each key had at the last look, in ms; -1 for ever."""
        self._redis = redis
        self._prefix = prefix
        self._at = time.monotonic()

    async def look(self) -> Counter[str]:
        """Takes from every lifetime what has passed since the last look; how many keys there are, by family."""
        began, self._at = self._at, time.monotonic()
        return await self.leap((self._at - began) * (self.scale - 1))

    async def leap(self, seconds: float) -> Counter[str]:
        """As if so much time had passed at once."""
        keys = list({key.decode() async for key in self._redis.scan_iter(f"{self._prefix}:*", count=SOME)})
        now, then = ([key for key in keys if (family(key) in NOW) is here] for here in (True, False))
        self.left = await self._hastened(now, 0) | await self._hastened(then, round(seconds * 1000))
        for key, left in self.left.items():
            self.lives[family(key)] = max(self.lives.get(family(key), 0.0), left / 1000)
        return Counter(map(family, self.left))

    async def _hastened(self, keys: list[str], gone: int) -> dict[str, int]:
        """What was left of each before, in ms; keys that are gone already are left out."""
        found: dict[str, int] = {}
        for begin in range(0, len(keys), SOME):
            some = keys[begin : begin + SOME]
            lefts = cast("list[int]", await self._redis.eval(HASTEN, len(some), *some, gone))
            found |= {key: left for key, left in zip(some, lefts, strict=True) if left != -2}
            await asyncio.sleep(0)
        return found
