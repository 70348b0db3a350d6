"""The form of what the store keeps: which release wrote it, and what brings it forward. What there is: `contents.py`.

A migration only adds or rewrites what the release before it can still read, so that routers and workers one release apart run together:
a form is left behind one release after nothing writes it any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import structlog
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.store.connection import guarded
from bot.store.keys import Keys

Migration = Callable[[Redis, Keys], Awaitable[None]]
"""Brings the store from the form before to its own, and touches nothing that is not below the prefix that it is given, which may be
that of a backup beside what is there. One that was cut off is run again from the top."""

MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})
"""By the form that they lead to. The first form is 1, and nothing leads to it."""

log = structlog.get_logger(__name__)


def newest(migrations: Mapping[int, Migration] = MIGRATIONS) -> int:
    """The form that this release writes."""
    return max(migrations, default=1)


@guarded
async def form(redis: Redis, keys: Keys) -> int | None:
    """The form of what is there, or None where nothing was written yet. Raises StoreError."""
    found = await redis.get(keys.schema())
    try:
        return None if found is None else int(found)
    except ValueError as error:
        raise StoreError(f"what is kept has the form {found!r}: expected a number, so it is not Hobnob's") from error


@guarded
async def migrate(redis: Redis, keys: Keys, migrations: Mapping[int, Migration] = MIGRATIONS) -> list[int]:
    """Brings the store to this release's form, and says by which steps; an empty one has it from the start.

    Raises StoreError for a store that a release more than one ahead has migrated.
    """
    target = newest(migrations)
    await redis.set(keys.schema(), target if await _empty(redis, keys) else 1, nx=True)
    found = await form(redis, keys) or 1
    if found > target + 1:
        raise StoreError(f"what is kept has form {found}, and this release knows {target}: install the release that wrote it, or newer")
    steps = [step for step in sorted(migrations) if step > found]
    for step in steps:
        log.info("the store is migrated", to=step)
        await migrations[step](redis, keys)
        await redis.set(keys.schema(), step)
    return steps


async def _empty(redis: Redis, keys: Keys) -> bool:
    async for _ in redis.scan_iter(f"{keys.prefix}:*", count=1000):
        return False
    return True
