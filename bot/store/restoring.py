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
    token = secrets.token_hex(16)
    beside, made = keys.beside(token), Dump(redis, keys.beside(token))
    await sweep(redis, keys)
    try:
        await _mark(redis, keys.restoring(token))
        await made.write(records)
        await migrate(redis, beside)
        yield
        await Dump(redis, keys).replace(made, while_=keys.restoring(token))
    finally:
        with suppress(StoreError):  # the next start does it
            await _drop(redis, keys, token)


async def sweep(redis: Redis, keys: Keys) -> None:
    """Removes what lies beside, as it does where restoring was killed; whoever is still at it is overtaken. Raises StoreError."""
    for token in await Dump(redis, keys).aside():
        await _drop(redis, keys, token)


@guarded
async def _mark(redis: Redis, mark: str) -> None:
    await redis.set(mark, b"")


@guarded
async def _drop(redis: Redis, keys: Keys, token: str) -> None:
    await redis.delete(keys.restoring(token))  # first, so that what is there only in part never takes the place of anything
    await Dump(redis, keys.beside(token)).clear()
