"""When waiting jobs will begin: the queue's policy, run ahead on what is in the queue and what jobs took. Who is told: `outputs.py`."""

from __future__ import annotations

import asyncio
import copy
import heapq
import json
import math
import random
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from redis.asyncio import Redis

from bot.store.keys import Keys
from bot.store.policy import Cycled, Queued
from bot.store.scripts import script

MOST_JOBS = 300
"""Waiting jobs that are looked at; who is further behind is told nothing yet."""


FUTURES = 5
"""Ways in which it may go on that are looked at."""

HORIZON = 1_800.0
"""Seconds that are looked ahead."""

MEMORY = 5
"""Minutes for which it is remembered who asked; see `lua/queue_submit.lua`."""


@dataclass(frozen=True, slots=True)
class Place:
    """So many jobs begin before it; it begins in about so many seconds, None while nobody knows what its kind takes."""

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
    """What waits, who works on it, and who asks how often: `rates` in jobs per second, by server and model."""

    policy: Cycled
    hands: list[Hand]
    now: float
    rates: Mapping[tuple[str, str], float] = field(default_factory=dict)


def foresee(outlook: Outlook) -> dict[str, Place]:
    """The places of all waiting jobs that somebody serves, by id.

    How many are ahead is counted as things stand. How long it takes is the middle of a few futures in which others ask as they
    did lately: who comes later may be served before, and without them four of ten estimates were less than half of the wait.
    """
    jobs = [job for people in outlook.policy.lines.values() for lines in people.values() for line in lines.values() for job in line]
    wanted, measured = {job.id for job in jobs}, set(outlook.policy.cost)
    standing = Future(copy.deepcopy(replace(outlook, rates={})), random.Random()).begin(wanted)  # noqa: S311  no secret
    futures = [Future(copy.deepcopy(outlook), random.Random(seed)).begin(wanted) for seed in range(FUTURES if measured else 0)]  # noqa: S311
    ahead = {id: number for number, id in enumerate(standing)}
    return {job.id: Place(ahead[job.id], _middle(job, futures) if job.model in measured else None) for job in jobs if job.id in standing}


def _middle(job: Queued, futures: Sequence[Mapping[str, float]]) -> float:
    return statistics.median(future.get(job.id, HORIZON) for future in futures)


class Future:
    """One way in which it may go on from here."""

    def __init__(self, outlook: Outlook, chance: random.Random) -> None:
        self._policy = outlook.policy
        self._hands = outlook.hands
        self._now = outlook.now
        self._chance = chance
        self._askers, self._rates = list(outlook.rates), list(outlook.rates.values())
        self._next = self._pause()
        self._begins: dict[str, float] = {}

    def _pause(self) -> float:
        rate = sum(self._rates)
        return self._chance.expovariate(rate) if rate else math.inf

    def begin(self, wanted: set[str]) -> dict[str, float]:
        """When these jobs begin, as far as they do within the horizon, in seconds and in order."""
        self._join()
        idle = [(hand.free, at) for at, hand in enumerate(self._hands)]
        heapq.heapify(idle)
        while idle and idle[0][0] < HORIZON and not wanted <= self._begins.keys():
            free, at = heapq.heappop(idle)
            self._others_ask(free)
            busy = self._turn(self._hands[at], free)
            later = max(self._next, free) if busy is None else busy
            if later < HORIZON:
                heapq.heappush(idle, (later, at))
        return self._begins

    def _others_ask(self, until: float) -> None:
        while self._next <= until:
            [(tenant, model)] = self._chance.choices(self._askers, self._rates)
            self._policy.submit(Queued(model, tenant, tenant, self._now + self._next))
            self._next += self._pause()

    def _turn(self, hand: Hand, free: float) -> float | None:
        """Until when the worker is busy with its next turn; None when nothing waits for it."""
        models = frozenset(hand.models)
        jobs = self._policy.turn(models, hand.resident, self._now + free, hand.models)
        if not jobs:
            return None
        if hand.resident not in (None, jobs[0].model):
            load = self._policy.pools[models].load
            self._policy.loaded(models, jobs[0], load)
            free += load
        hand.resident = jobs[0].model
        self._put(jobs, free)
        return free + sum(self._policy.cost.get(job.model, 1.0) for job in jobs)

    def _join(self) -> None:
        """Those who find room in a turn that runs."""
        for hand in self._hands:
            room = hand.models.get(hand.resident or "", 0) - hand.running
            if hand.running and room > 0 and hand.resident is not None:
                jobs = self._policy.fill(self._policy.pools[frozenset(hand.models)], hand.resident, room)
                self._put(jobs, 0.0)
                hand.free += sum(self._policy.cost.get(job.model, 1.0) for job in jobs)

    def _put(self, jobs: Sequence[Queued], begins: float) -> None:
        self._begins |= {job.id: begins for job in jobs if job.id}


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
        return await asyncio.to_thread(foresee, _outlook(found, workers, pools))


def _outlook(found: Sequence[Any], workers: Sequence[Mapping[str, Any]], pools: Sequence[str]) -> Outlook:
    now, facts, weights, asked, lines, running, *accounts = found
    known = {name: float(value) for name, value in _pairs(facts).items() if name.startswith(("job:", "load:"))}
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
    return Outlook(policy, _hands(workers, running, policy.cost), float(now) / 1e6, _rates(asked, serving))


def _rates(asked: Sequence[Sequence[bytes]], serving: Mapping[str, str]) -> dict[tuple[str, str], float]:
    rates: Counter[tuple[str, str]] = Counter()
    for minute in asked:
        for who, count in _pairs(minute).items():
            want, _, tenant = who.partition("|")
            if want in serving:
                rates[tenant, serving[want]] += int(count)
    return {who: count / (MEMORY * 60.0) for who, count in rates.items()}


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
