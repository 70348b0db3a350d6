"""Who is served next: the queue's policy as plain Python, and the policies of others to compare it with. The clock: `simulation.py`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

QUANTUM = 8.0
"""Device seconds of a round for each server while few wait."""

ROUND = 64.0
"""Device seconds that a round of many servers should take; their quantum is less then."""

SMALLEST = 2.0
"""A smaller quantum would change models more often than it serves people."""


@dataclass(slots=True)
class Asked:
    """A job of the simulation; `seconds` is what it will take, which nobody knows before."""

    model: str
    tenant: str
    arrived: float
    seconds: float
    person: str = "one"


class Policy(Protocol):
    """Holds what waits."""

    def submit(self, job: Asked) -> None:
        """Takes a job."""

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Asked | None:
        """The next job for a worker with these models, one of them on its device; None when nothing waits for it."""

    def settle(self, models: frozenset[str], job: Asked, seconds: float) -> None:
        """The job took so many device seconds."""

    def loaded(self, models: frozenset[str], job: Asked, seconds: float) -> None:
        """Its model was loaded for the job, and for whoever else waited for it."""


@dataclass
class Lines:
    """Waiting jobs by model and tenant, oldest first."""

    lines: dict[str, dict[str, list[Asked]]] = field(default_factory=lambda: defaultdict(dict))

    def submit(self, job: Asked) -> None:
        self.lines[job.model].setdefault(job.tenant, []).append(job)

    def take(self, model: str, tenant: str) -> Asked:
        line = self.lines[model][tenant]
        job = line.pop(0)
        if not line:
            del self.lines[model][tenant]
        return job

    def first(self, model: str) -> Asked | None:
        return min((line[0] for line in self.lines[model].values()), key=lambda job: job.arrived, default=None)

    def settle(self, models: frozenset[str], job: Asked, seconds: float) -> None:
        """Nobody keeps accounts."""

    def loaded(self, models: frozenset[str], job: Asked, seconds: float) -> None:
        """Nobody keeps accounts."""


class Fifo(Lines):
    """First come, first served."""

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Asked | None:
        first = min((job for model in models if (job := self.first(model))), key=lambda job: job.arrived, default=None)
        return first and self.take(first.model, first.tenant)


class ResidentFirst(Lines):
    """First come, first served among those who want the model that is loaded."""

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Asked | None:
        first = (resident and self.first(resident)) or min(
            (job for model in models if (job := self.first(model))), key=lambda job: job.arrived, default=None
        )
        return first and self.take(first.model, first.tenant)


@dataclass
class RoundRobin(Lines):
    """One tenant after the other; within a tenant, jobs for the loaded model first."""

    served: dict[str, float] = field(default_factory=dict)
    turn: int = 0

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Asked | None:
        waiting = {tenant for model in models for tenant in self.lines[model]}
        if not waiting:
            return None
        tenant = min(waiting, key=lambda one: (self.served.get(one, -1), one))
        self.turn += 1
        self.served[tenant] = self.turn
        own = [model for model in sorted(models) if tenant in self.lines[model]]
        model = resident if resident in own else min(own, key=lambda one: self.lines[one][tenant][0].arrived)
        return self.take(model, tenant)


@dataclass
class Pool:
    """The accounts of the workers that serve the same models."""

    credit: dict[str, float] = field(default_factory=dict)
    """Device seconds that each tenant has left in this round; who is not listed has all of them."""


@dataclass
class Cycled(Lines):
    """Deficit round robin over device seconds, cycled by model."""

    quantum: float = QUANTUM
    round: float = ROUND
    smallest: float = SMALLEST
    pools: dict[frozenset[str], Pool] = field(default_factory=lambda: defaultdict(Pool))
    cost: dict[str, float] = field(default_factory=dict)

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Asked | None:
        waiting = {tenant for model in models for tenant in self.lines[model]}
        if not waiting:
            return None
        pool = self.pools[models]
        share = self.share(len(waiting))
        credit = {tenant: pool.credit.get(tenant, share) for tenant in waiting}
        if max(credit.values()) <= 0:
            self._next_round(pool, waiting, share)
            credit = {tenant: pool.credit.get(tenant, share) for tenant in waiting}
        eligible = {model: [tenant for tenant in self.lines[model] if credit[tenant] > 0] for model in models if self.lines[model]}
        eligible = {model: tenants for model, tenants in eligible.items() if tenants}
        model = resident if resident in eligible else max(eligible, key=lambda one: self._age(one, eligible[one], now))
        tenant = max(eligible[model], key=lambda one: (credit[one], -self.lines[model][one][0].arrived))
        pool.credit[tenant] = credit[tenant] - self.cost.get(model, 1.0)
        return self.take(model, tenant)

    def share(self, waiting: int) -> float:
        """The quantum, when so many wait."""
        return max(self.smallest, min(self.quantum, self.round / waiting))

    def _age(self, model: str, tenants: Sequence[str], now: float) -> float:
        return sum(now - self.lines[model][tenant][0].arrived for tenant in tenants)

    def _next_round(self, pool: Pool, waiting: set[str], share: float) -> None:
        """Idle credit is dropped, debt is kept; as many rounds at once as somebody needs to be eligible."""
        rounds = 1 + math.floor(min(-pool.credit.get(tenant, share) for tenant in waiting) / share)
        pool.credit = {
            tenant: credit + (share * rounds if tenant in waiting else 0.0)
            for tenant, credit in pool.credit.items()
            if credit < 0 or tenant in waiting
        }

    def loaded(self, models: frozenset[str], job: Asked, seconds: float) -> None:
        """The load is paid by all who waited for it."""
        waited = [job.tenant, *(tenant for tenant in self.lines[job.model] if tenant != job.tenant)]
        credit, share = self.pools[models].credit, self.share(len(waited))
        for tenant in waited:
            credit[tenant] = credit.get(tenant, share) - seconds / len(waited)

    def settle(self, models: frozenset[str], job: Asked, seconds: float) -> None:
        """Charges what was not charged before, and learns what a job of this model costs."""
        charged = self.cost.get(job.model, 1.0)
        credit = self.pools[models].credit
        if job.tenant in credit:
            credit[job.tenant] += charged - seconds
        self.cost[job.model] = charged + 0.1 * (seconds - charged)
