"""What several routers together may call: who lives, and what they called lately. What each keeps to by itself: `bot/router/pace.py`."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.connector import Limits
from bot.messages import Address
from bot.spacing import steps
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.promptly import promptly
from bot.store.scripts import Scripts


class Pacing:
    """`owner` names this router, `lease` is for how many seconds it counts after its last sign. A router alone shares nothing."""

    def __init__(self, redis: Redis, keys: Keys, owner: str, *, lease: float) -> None:
        self._redis = redis
        self._keys = keys
        self._owner = owner
        self._lease = round(lease * 1000)
        script = Scripts(redis)
        self._count, self._take, self._hold = script("pace_count"), script("pace_take"), script("pace_hold")
        self.several = False
        """Whether there are other routers, as far as was heard."""

    @guarded
    async def count(self) -> None:
        """Says that this router lives, and hears whether others do."""

        async def counted() -> int:
            return int(await self._count(keys=[self._keys.routers()], args=[self._owner, self._lease]))

        self.several = await promptly(self._redis, counted, self._lease / 1000) > 1

    @guarded
    async def leave(self) -> None:
        """This router calls nothing any more."""
        await self._redis.zrem(self._keys.routers(), self._owner)

    @guarded
    async def take(self, chat: Address, limits: Limits, most: int) -> float:
        """0.0 when the call is counted; else in how many seconds to ask again. `most` of the chat's budget may be used up by it."""
        gap, early = (0.0, 0.0) if limits.rate_apart else steps(limits.rate)
        budget, stretch = limits.budget
        args = [budget, round(stretch * 1000), most, gap * 1000, early * 1000]
        keys = [self._keys.paced(chat.conversation), self._keys.paced(chat.connector), self._keys.held(chat.conversation)]
        return float(await self._take(keys=keys, args=args)) / 1000

    @guarded
    async def hold(self, chat: Address, seconds: float) -> None:
        """The platform wants nothing from the chat for so many seconds; of two such words the longer counts."""
        await self._hold(keys=[self._keys.held(chat.conversation)], args=[max(round(seconds * 1000), 1)])
