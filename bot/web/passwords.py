"""The operator's password: set, compared, never kept. How often somebody may try: `entrance.py`."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.errors import BadArguments
from bot.store.sessions import Sessions
from bot.translation import tr

SHORTEST, LONGEST = 10, 500


class Passwords:
    """Hashing takes a tenth of a second and 64 MB by design [argon2id, RFC 9106]: one at a time, and not on the router's loop."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._hasher = PasswordHasher()
        self._turn = asyncio.Semaphore(1)

    async def right(self, given: str) -> bool:
        """Whether it is the operator's."""
        known = await self._sessions.password()
        if not known or not given or len(given) > LONGEST:
            return False
        async with self._turn:
            return await asyncio.to_thread(self._verified, known, given)

    def _verified(self, known: str, given: str) -> bool:
        try:
            return self._hasher.verify(known, given)
        except (VerificationError, InvalidHashError):
            return False

    async def change(self, given: str) -> None:
        """From now on it is this one; "" takes it away. Raises BadArguments for one that is too short or too long."""
        if given and not SHORTEST <= len(given) <= LONGEST:
            raise BadArguments(tr("A password has {least} to {most} characters.", least=SHORTEST, most=LONGEST))
        async with self._turn:
            hash = await asyncio.to_thread(self._hasher.hash, given) if given else ""
        await self._sessions.protect(hash)
