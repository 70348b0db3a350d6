"""Leases of what only one router at a time may do. What it does with one: `bot/router/listening.py`."""

from __future__ import annotations

import os
import socket
import uuid

from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError

from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.promptly import promptly

LONGEST = 60.0
"""Seconds that no lease lasts: one that does is from before the server's clock was set back, and its owner may be gone."""


class Leads:
    """The leases that one router holds or would like to. `owner` names its process, `lease` is in seconds."""

    def __init__(self, redis: Redis, keys: Keys, owner: str, *, lease: float) -> None:
        self.lease = lease
        self._redis = redis
        self._keys = keys
        self._owner = owner
        self._locks: dict[str, Lock] = {}

    @guarded
    async def take(self, what: str) -> bool:
        """Whether this router leads from now on; the lease ends by itself unless it is renewed. See `promptly` for a silent connection."""
        return await promptly(self._redis, lambda: self._taken(what), self.lease)

    async def _taken(self, what: str) -> bool:
        """What was taken over a connection that then went silent is refused, until its lease lapses."""
        if await self._redis.pttl(self._keys.lead(what)) > LONGEST * 1000:
            await self._redis.pexpire(self._keys.lead(what), round(self.lease * 1000))
        lock = self._locks.setdefault(what, self._redis.lock(self._keys.lead(what), timeout=self.lease, thread_local=False))
        return bool(await lock.acquire(blocking=False, token=self._owner))

    @guarded
    async def renew(self, what: str) -> bool:
        """Whether this router still leads, for another whole lease."""
        try:
            return bool(await promptly(self._redis, self._locks[what].reacquire, self.lease))
        except LockError:
            return False

    @guarded
    async def give_up(self, what: str) -> None:
        """Lets another router lead at once; one that leads already is left alone."""
        try:
            await promptly(self._redis, self._locks[what].release, self.lease)
        except LockError:
            return


def process_name() -> str:
    """Of this process, for all leases that it holds."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
