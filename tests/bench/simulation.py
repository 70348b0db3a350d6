"""A day of a few workers in a second: arrivals, swaps and service times, and how long people wait under each policy."""

from __future__ import annotations

import copy
import heapq
import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.store.foresight import Hand, Outlook, foresee
from tests.bench.policies import Asked, Scheduler
from tests.reference import Reference


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens: `load` is the part of all workers' time that the jobs take, swaps not counted."""

    tenants: int
    flood: int
    load: float
    swap: float
    workers: tuple[frozenset[str], ...]
    seconds: float = 3600.0
    flood_at: float = 600.0
    shortest: float = 1.0
    longest: float = 3.0


@dataclass
class Seen:
    """What a run shows."""

    waits: list[float] = field(default_factory=list)
    """Seconds that the light tenants' jobs waited."""
    swaps: int = 0
    idle_beside_work: float = 0.0
    """Seconds that a worker idled while a job that it can serve waited."""
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    ended: float = 0.0
    foretold: list[tuple[float, float]] = field(default_factory=list)
    """What was foretold first and what came true: (seconds, seconds) of waiting from then on, for each job that was told any."""
    looked: int = 0
    """Jobs for which a look ahead was taken as they came."""
    at_once: int = 0
    """Those of them that were told then; the others once the futures agree, or never."""

    @property
    def swaps_an_hour(self) -> float:
        return self.swaps / self.ended * 3600

    def percentile(self, part: float) -> float:
        return sorted(self.waits)[min(len(self.waits) - 1, int(part * len(self.waits)))]


def arrivals(scene: Scene, seed: int) -> list[Asked]:
    """Half of all jobs come from the heavy tenant, and a flood of its besides."""
    chance = random.Random(seed)
    models = sorted(frozenset().union(*scene.workers))
    rate = scene.load * len(scene.workers) / ((scene.shortest + scene.longest) / 2)
    at, jobs, ids = 0.0, [], itertools.count()

    def one(tenant: str, moment: float) -> Asked:
        return Asked(chance.choice(models), tenant, tenant, moment, str(next(ids)), chance.uniform(scene.shortest, scene.longest))

    while (at := at + chance.expovariate(rate)) < scene.seconds:
        heavy = chance.random() < 0.5
        jobs.append(one("heavy" if heavy else f"light{chance.randrange(scene.tenants - 1)}", at))
    flood = [one("heavy", scene.flood_at) for _ in range(scene.flood)]
    return sorted([*jobs, *flood], key=lambda job: job.at)


def run(scene: Scene, policy: Scheduler, jobs: Sequence[Asked], until: float = math.inf, *, foretell: int = 0) -> Seen:
    """Until every job is done, or until that second; with `foretell`, every so-manieth job is told how long it will wait."""
    seen = Seen()
    resident: list[str | None] = [None] * len(scene.workers)
    idle = set(range(len(scene.workers)))
    events: list[tuple[float, int, int, Asked, float]] = []  # when, order, worker or -1, job, device seconds
    waits: Counter[str] = Counter()
    unsure: set[str] = set()
    told: dict[str, tuple[float, float]] = {}  # seconds, and when
    expected = [0.0] * len(scene.workers)
    arrived = 0
    order = 0
    for job in jobs:
        heapq.heappush(events, (job.at, order, -1, job, 0.0))
        order += 1
    while events:
        now, _, worker, job, took = heapq.heappop(events)
        if now > until:
            break
        for free in idle:
            seen.idle_beside_work += (now - seen.ended) * any(waits[model] for model in scene.workers[free])
        if worker < 0:
            policy.submit(job)
            waits[job.model] += 1
            arrived += 1
            if foretell and arrived % foretell == 0 and isinstance(policy, Reference):
                hands = [
                    Hand(dict.fromkeys(models, 1), resident[at], at not in idle, max(0.0, expected[at] - now))
                    for at, models in enumerate(scene.workers)
                ]
                places = foresee(Outlook(copy.deepcopy(policy), hands, now, rates(jobs, now, scene.flood_at)))
                unsure.add(job.id)
                sure = {id: place.seconds for id in unsure if (place := places.get(id)) is not None and place.seconds is not None}
                told |= {id: (seconds, now) for id, seconds in sure.items()}
                unsure -= sure.keys()
                seen.looked += 1
                seen.at_once += job.id in sure
        else:
            policy.settle(scene.workers[worker], job, took)
            seen.seconds[job.tenant] += took
            idle.add(worker)
        for free in sorted(idle):
            models = scene.workers[free]
            claimed = policy.claim(models, resident[free], now)
            if claimed is None:
                continue
            assert isinstance(claimed, Asked)
            idle.discard(free)
            waits[claimed.model] -= 1
            swap = scene.swap if resident[free] != claimed.model else 0.0
            seen.swaps += resident[free] != claimed.model
            if swap:
                policy.loaded(models, claimed, swap)
            resident[free] = claimed.model
            expected[free] = now + swap + (policy.cost.get(claimed.model, 1.0) if isinstance(policy, Reference) else 0.0)
            if claimed.tenant != "heavy":
                seen.waits.append(now + swap - claimed.at)
            unsure.discard(claimed.id)
            if claimed.id in told:
                seconds, since = told[claimed.id]
                seen.foretold.append((seconds, now + swap - since))
            heapq.heappush(events, (now + swap + claimed.seconds, order, free, claimed, claimed.seconds))
            order += 1
        seen.ended = now
    return seen


def rates(jobs: Sequence[Asked], now: float, flood_at: float, memory: float = 300.0) -> dict[tuple[str, str], float]:
    """Who asked how often lately, the flood apart: it is over when it has come."""
    lately = [job for job in jobs if now - memory < job.at <= now and job.at != flood_at]
    return {who: count / min(memory, now) for who, count in Counter((job.tenant, job.model) for job in lately).items()}


def jain(shares: Sequence[float]) -> float:
    """Jain's index: 1 when all shares are equal, 1/n when one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))
