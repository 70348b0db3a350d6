"""When waiting jobs will begin: the queue's policy, run ahead on what is in the queue and what jobs took. Who is told: `outputs.py`."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from redis.asyncio import Redis

from bot.store.keys import Keys
from bot.store.policy import Cycled, Queued
from bot.store.scripts import script

MOST_JOBS = 1_000
"""Waiting jobs that are looked at; who is further behind is told nothing yet."""


@dataclass(frozen=True, slots=True)
class Place:
    """So many jobs begin before it; it begins in about so many seconds, None while nobody knows what jobs take."""

    ahead: int
    seconds: float | None


@dataclass(slots=True)
class Hand:
    """A worker: its models with the most jobs of a turn, what it runs, and when it is free (seconds, 0 is now)."""

    models: Mapping[str, int]
    resident: str | None = None
    running: int = 0
    free: float = 0.0


@dataclass(slots=True)
class Outlook:
    """What waits and who works on it; `loads` and `costs` in seconds, by pool and by model."""

    policy: Cycled
    hands: list[Hand]
    now: float
    known: set[str] = field(default_factory=set)
    """Models whose jobs were measured."""


def foresee(outlook: Outlook) -> dict[str, Place]:
    """The places of all waiting jobs that somebody serves, by id."""
    policy, places = outlook.policy, _joining(outlook)
    idle = [(hand.free, at) for at, hand in enumerate(outlook.hands)]
    heapq.heapify(idle)
    while idle:
        free, at = heapq.heappop(idle)
        hand = outlook.hands[at]
        models = frozenset(hand.models)
        jobs = policy.turn(models, hand.resident, outlook.now + free, hand.models)
        if not jobs:
            continue
        model = jobs[0].model
        begins = free + (policy.pools[models].load if hand.resident not in (None, model) else 0.0)
        places |= _placed(jobs, len(places), begins, outlook)
        hand.resident = model
        heapq.heappush(idle, (begins + sum(policy.cost.get(job.model, 1.0) for job in jobs), at))
    return places


def _joining(outlook: Outlook) -> dict[str, Place]:
    """Those who find room in a turn that runs."""
    places: dict[str, Place] = {}
    for hand in outlook.hands:
        room = hand.models.get(hand.resident or "", 0) - hand.running
        if hand.running and room > 0 and hand.resident is not None:
            pool = outlook.policy.pools[frozenset(hand.models)]
            jobs = outlook.policy.fill(pool, hand.resident, room)
            places |= _placed(jobs, 0, 0.0, outlook)
            hand.free += sum(outlook.policy.cost.get(job.model, 1.0) for job in jobs)
    return places


def _placed(jobs: Sequence[Queued], before: int, begins: float, outlook: Outlook) -> dict[str, Place]:
    return {job.id: Place(before, begins if job.model in outlook.known else None) for job in jobs}


class Foresight:
    """Looks at the queue in one script and runs the policy ahead."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._snapshot = script(redis, "queue_snapshot", "queue_common", "queue_policy")

    async def places(self) -> dict[str, Place]:
        """Of all waiting jobs that a living worker serves."""
        workers = [json.loads(cast("bytes", entry)) for entry in await self._redis.zrange(self._keys.workers(), 0, -1)]
        pools = sorted({worker["pool"] for worker in workers})
        wants = sorted({want for worker in workers for want in worker["wants"]})
        if not wants:
            return {}
        found = await self._snapshot(args=[self._keys.prefix, MOST_JOBS, len(pools), *pools, *wants])
        return foresee(_outlook(found, workers, pools))


def _outlook(found: Sequence[Any], workers: Sequence[Mapping[str, Any]], pools: Sequence[str]) -> Outlook:
    now, facts, weights, lines, running, *accounts = found
    known = {name: float(value) for name, value in _pairs(facts).items() if name.startswith(("job:", "load:", "share:"))}
    policy = Cycled(weights={name: float(value) for name, value in _pairs(weights).items()})
    policy.cost = {name.removeprefix("job:"): seconds for name, seconds in known.items() if name.startswith("job:")}
    models = {worker["pool"]: frozenset(worker["models"]) for worker in workers}
    for name, kept in zip(pools, accounts, strict=True):
        pool = policy.pools[models[name]]
        pool.load = known.get(f"load:{name}", 0.0)
        pool.servers |= _scores(kept[0])
        pool.spent |= _scores(kept[1])
        pool.people |= {tenant.decode(): _scores(credits) for tenant, credits in zip(kept[2::2], kept[3::2], strict=True)}
    serving = {want: model for worker in reversed(workers) for model, (_, wants) in worker["models"].items() for want in wants}
    for want, tenant, person, at, ids in lines:
        for id in ids:
            policy.submit(Queued(serving[want.decode()], tenant.decode(), person.decode(), float(at) / 1e6, id.decode()))
    return Outlook(policy, _hands(workers, running, policy.cost), float(now) / 1e6, set(policy.cost))


def _hands(workers: Sequence[Mapping[str, Any]], running: Sequence[bytes], costs: Mapping[str, float]) -> list[Hand]:
    hands = {worker["worker"]: Hand({model: most for model, (most, _) in worker["models"].items()}) for worker in workers}
    for at in range(0, len(running), 4):
        owner, model, elapsed, charged = running[at].decode(), running[at + 1].decode(), int(running[at + 2]) / 1000, float(running[at + 3])
        if hand := hands.get(owner):
            hand.resident = model
            hand.running += 1
            hand.free = max(hand.free, 0.0) + max(costs.get(model, charged) - elapsed, 0.0)
    return list(hands.values())


def _pairs(flat: Sequence[bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _scores(flat: Sequence[bytes]) -> dict[str, float]:
    return {name: float(score) for name, score in _pairs(flat).items()}
