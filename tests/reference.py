"""The queue's policy with all that happens to a job: what a test holds the scripts against, and what the simulation runs."""

from __future__ import annotations

from bot.store.policy import Policy, Queued


class Reference(Policy):
    """Claims one job at a time and keeps the accounts afterwards."""

    def put_back(self, job: Queued) -> None:
        """To the front of its line: it has run before."""
        self.lines[job.model].setdefault(job.tenant, {}).setdefault(job.person, []).insert(0, job)

    def claim(self, models: frozenset[str], resident: str | None, now: float) -> Queued | None:
        """The next job for a worker that serves these models and has one of them loaded."""
        return next(iter(self.turn(models, resident, now, dict.fromkeys(models, 1))), None)

    def settle(self, models: frozenset[str], job: Queued, seconds: float, charged: float | None = None) -> None:
        """Charges what was not charged at the claim, and learns what a job of this model costs."""
        self.charge(self.pools[models], job, seconds - (self.cost.get(job.model, 1.0) if charged is None else charged))
        known = self.cost.get(job.model)
        self.cost[job.model] = seconds if known is None else round(known + 0.1 * (seconds - known), 6)
