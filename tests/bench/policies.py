"""Who is served next by other policies than ours, to compare it with them. The clock: `simulation.py`; ours: `tests/reference.py`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Protocol

from bot.store.policy import Queued


@dataclass(frozen=True, slots=True)
class Asked(Queued):
    """A job of the simulation; `seconds` is what it will take, which nobody knows before."""

    seconds: float = 0.0


class Scheduler(Protocol):
    """Holds what waits."""

    def submit(self, job: Queued) -> None:
        """Takes a job."""

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Queued | None:
        """The next job for a worker with these models, one of them on its device; None when nothing waits for it."""

    def settle(self, models: frozenset[str], job: Queued, seconds: float) -> None:
        """The job took so many device seconds."""

    def loaded(self, models: frozenset[str], job: Queued, seconds: float) -> None:
        """Its model was loaded for the job, and for whoever else waited for it."""


@dataclass
class Lines:
    """Waiting jobs by model and tenant, oldest first."""

    lines: dict[str, dict[str, list[Queued]]] = field(default_factory=lambda: defaultdict(dict))

    def submit(self, job: Queued) -> None:
        self.lines[job.model].setdefault(job.tenant, []).append(job)

    def take(self, model: str, tenant: str) -> Queued:
        line = self.lines[model][tenant]
        job = line.pop(0)
        if not line:
            del self.lines[model][tenant]
        return job

    def first(self, model: str) -> Queued | None:
        return min((line[0] for line in self.lines[model].values()), key=lambda job: job.at, default=None)

    def settle(self, models: frozenset[str], job: Queued, seconds: float) -> None:
        """Nobody keeps accounts."""

    def loaded(self, models: frozenset[str], job: Queued, seconds: float) -> None:
        """Nobody keeps accounts."""


class Fifo(Lines):
    """First come, first served."""

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Queued | None:
        first = min((job for model in sorted(models) if (job := self.first(model))), key=lambda job: job.at, default=None)
        return first and self.take(first.model, first.tenant)


class ResidentFirst(Lines):
    """First come, first served among those who want the model that is loaded."""

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Queued | None:
        first = None if resident is None else self.first(resident)
        if first is None:
            first = min((job for model in sorted(models) if (job := self.first(model))), key=lambda job: job.at, default=None)
        return first and self.take(first.model, first.tenant)


@dataclass
class RoundRobin(Lines):
    """One tenant after the other; within a tenant, jobs for the loaded model first."""

    served: dict[str, float] = field(default_factory=dict)
    turn: int = 0

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Queued | None:
        waiting = {tenant for model in models for tenant in self.lines[model]}
        if not waiting:
            return None
        tenant = min(waiting, key=lambda one: (self.served.get(one, -1), one))
        self.turn += 1
        self.served[tenant] = self.turn
        own = [model for model in sorted(models) if tenant in self.lines[model]]
        model = resident if resident in own else min(own, key=lambda one: self.lines[one][tenant][0].at)
        return self.take(model, tenant)
