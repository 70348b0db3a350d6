"""Restores what a backup has beside what is there, and then puts it in the place of that. What it has: `dump.py`."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis

from bot.errors import StoreError
from bot.store.connection import guarded
from bot.store.dump import Dump, Record
from bot.store.keys import Keys
from bot.store.schema import migrate


@asynccontextmanager
async def restoring(redis: Redis, keys: Keys, records: Iterable[Record]) -> AsyncIterator[None]:
    """Has all of these, in this release's form, in the place of what is there when the block ends; until then they lie beside it.

    What is raised, by the block too, leaves what is there. Raises StoreError, and what `records` does.
    """
    there, made, mark = Dump(redis, keys), Dump(redis, keys.beside()), secrets.token_bytes(16)
    await sweep(redis, keys)
    await _mark(redis, keys, mark)
    try:
        await made.write(records)
        await migrate(redis, keys.beside())
        yield
        await there.replace(made, mark)
    finally:
        with suppress(StoreError):  # the next start does it
            await sweep(redis, keys)


@guarded
async def sweep(redis: Redis, keys: Keys) -> None:
    """Removes what lies beside, as it does where restoring was killed. Raises StoreError."""
    if await redis.set(keys.restoring(), b"", xx=True):  # whoever is at it sees that it is overtaken
        await Dump(redis, keys.beside()).clear()
        await redis.delete(keys.restoring())


@guarded
async def _mark(redis: Redis, keys: Keys, mark: bytes) -> None:
    await redis.set(keys.restoring(), mark)
