"""What a Redis says about itself, for the doctor. Whether it can be used at all is decided in `connection.py`."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.store.connection import check, guarded


@dataclass(frozen=True, slots=True)
class Health:
    """`persistence` says how it keeps data, "" when it does not; `used` and `most` are bytes, `most` 0 without a limit.

    `policy` is what it does when it is full.
    """

    server: str
    persistence: str
    used: int
    most: int
    policy: str


async def health(redis: Redis, url: str) -> Health:
    """Asks. Raises StoreError as `check` does."""
    await check(redis, url)
    return await _health(redis)


@guarded
async def _health(redis: Redis) -> Health:
    found = {**await redis.info("server"), **await redis.info("persistence"), **await redis.info("memory")}
    kind = "Valkey" if "valkey_version" in found else "Redis"
    return Health(
        server=f"{kind} {found.get('valkey_version') or found['redis_version']}",
        persistence="append-only file" if found.get("aof_enabled") else await _snapshots(redis),
        used=int(found.get("used_memory", 0)),
        most=int(found.get("maxmemory", 0)),
        policy=str(found.get("maxmemory_policy", "noeviction")),
    )


async def _snapshots(redis: Redis) -> str:
    """Rented servers often forbid CONFIG."""
    try:
        return "snapshots" if (await redis.config_get("save")).get("save") else ""
    except ResponseError:
        return "unknown (the server does not tell)"
