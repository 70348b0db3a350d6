"""Who may open the pages: links that work once, and the sessions they become. Cookies and pages are in `bot/web/`."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys

INVITED = 86_400
"""Seconds a link works."""

KEPT = 30 * 86_400
"""Seconds a session lasts after its last use."""

SERVED = 60
"""Seconds for which pages count as served after their router last said so."""


class Sessions:
    """Links and sessions. Redis sees only their hashes: who reads it can enter nowhere."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def serve(self, address: str) -> None:
        """Says where the pages are; whoever serves them says it again within `SERVED` seconds."""
        await self._redis.set(self._keys.pages(), address, ex=SERVED)

    @guarded
    async def served(self) -> str | None:
        """Where the pages are, None where nobody serves any."""
        found: Any = await self._redis.get(self._keys.pages())
        return None if found is None else str(found, "utf-8")

    @guarded
    async def unserve(self, address: str) -> None:
        """The pages there are no longer served; somebody else's still are."""
        if await self.served() == address:
            await self._redis.delete(self._keys.pages())

    @guarded
    async def invite(self) -> str:
        """A new token, which `redeem` takes once within 24 hours."""
        token = secrets.token_urlsafe(24)
        await self._redis.set(self._keys.invite(_hash(token)), "1", ex=INVITED)
        return token

    @guarded
    async def redeem(self, token: str) -> str | None:
        """Makes a session of a token and returns the session's secret; None when the token is unknown, used or too old."""
        if not await self._redis.delete(self._keys.invite(_hash(token))):  # of two at once only one removes it
            return None
        secret = secrets.token_urlsafe(32)
        await self._redis.set(self._keys.session(_hash(secret)), "1", ex=KEPT)
        return secret

    @guarded
    async def valid(self, secret: str) -> bool:
        """True for a session that lasts; using it makes it last longer."""
        return bool(secret) and bool(await self._redis.expire(self._keys.session(_hash(secret)), KEPT))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
