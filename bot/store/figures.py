"""What an operator watches, over all routers and workers at one moment. What a process counts of its own doings: `bot/metrics.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.snapshot import Snapshot, Snapshots

MOST = 5000
"""Waiting jobs that are looked at; where more wait, the numbers of jobs end there."""


@dataclass(frozen=True, slots=True)
class Figures:
    """`waiting` jobs and the seconds that the `oldest` has waited, by what is wanted; `running` jobs by model.

    `workers` that are on and off duty; `dead` are jobs that killed three workers; `used` and `most` are the store's memory in bytes,
    `most` 0 without a limit; `keys` is how many it has.
    """

    waiting: Mapping[str, int]
    oldest: Mapping[str, float]
    running: Mapping[str, int]
    on: int
    off: int
    dead: int
    used: int
    most: int
    keys: int


@guarded
async def figures(redis: Redis, keys: Keys) -> Figures:
    """Takes them. Raises StoreError."""
    snapshot = await Snapshots(redis, keys).take(MOST)
    memory = await redis.info("memory")
    waiting = dict.fromkeys(snapshot.serving, 0)
    for line in snapshot.lines:
        waiting[line.wanted] = waiting.get(line.wanted, 0) + len(line.ids)
    off = sum(worker.off is not None for worker in snapshot.workers)
    return Figures(
        waiting=waiting,
        oldest=_oldest(snapshot),
        running=_running(snapshot),
        on=len(snapshot.workers) - off,
        off=off,
        dead=await redis.zcard(keys.dead()),
        used=int(memory.get("used_memory", 0)),
        most=int(memory.get("maxmemory", 0)),
        keys=await redis.dbsize(),
    )


def _oldest(snapshot: Snapshot) -> dict[str, float]:
    found = dict.fromkeys(snapshot.serving, 0.0)
    for line in snapshot.lines:
        found[line.wanted] = max(found.get(line.wanted, 0.0), snapshot.now - line.since)
    return found


def _running(snapshot: Snapshot) -> dict[str, int]:
    found = Counter(dict.fromkeys((model for worker in snapshot.workers for model in worker.models), 0))
    found.update(run.model for worker in snapshot.workers for run in worker.running)
    return found
