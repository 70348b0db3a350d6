"""A day of a few workers in a second: arrivals, swaps and service times, and how long people wait under each policy."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.policies import Asked, Policy


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

    def percentile(self, part: float) -> float:
        return sorted(self.waits)[min(len(self.waits) - 1, int(part * len(self.waits)))]


def arrivals(scene: Scene, seed: int) -> list[Asked]:
    """Half of all jobs come from the heavy tenant, and a flood of its besides."""
    chance = random.Random(seed)
    models = sorted(frozenset().union(*scene.workers))
    rate = scene.load * len(scene.workers) / ((scene.shortest + scene.longest) / 2)
    at, jobs = 0.0, []

    def one(tenant: str, moment: float) -> Asked:
        return Asked(chance.choice(models), tenant, tenant, moment, "", chance.uniform(scene.shortest, scene.longest))

    while (at := at + chance.expovariate(rate)) < scene.seconds:
        heavy = chance.random() < 0.5
        jobs.append(one("heavy" if heavy else f"light{chance.randrange(scene.tenants - 1)}", at))
    flood = [one("heavy", scene.flood_at) for _ in range(scene.flood)]
    return sorted([*jobs, *flood], key=lambda job: job.at)


def run(scene: Scene, policy: Policy, jobs: Sequence[Asked], until: float = math.inf) -> Seen:
    """Until every job is done, or until that second."""
    seen = Seen()
    resident: list[str | None] = [None] * len(scene.workers)
    idle = set(range(len(scene.workers)))
    events: list[tuple[float, int, int, Asked, float]] = []  # when, order, worker or -1, job, device seconds
    waits: Counter[str] = Counter()
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
            if claimed.tenant != "heavy":
                seen.waits.append(now + swap - claimed.at)
            heapq.heappush(events, (now + swap + claimed.seconds, order, free, claimed, claimed.seconds))
            order += 1
        seen.ended = now
    return seen


def jain(shares: Sequence[float]) -> float:
    """Jain's index: 1 when all shares are equal, 1/n when one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))
