"""The queue's policy as plain Python, for looking ahead. What serves the jobs: `lua/queue_policy.lua`, `lua/queue_claim.lua`.

Deficit round robin over device seconds (Shreedhar and Varghese, 1995) in two levels, server and person; models take turns.
A test holds both against each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

QUANTUM, ROUND, SMALLEST, LOADS, ABSENT = 8.0, 160.0, 2.0, 1.5, 1000
"""See `lua/queue_policy.lua`."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A waiting job; `at` is when it was submitted."""

    model: str
    tenant: str
    person: str
    at: float
    id: str = ""


@dataclass
class Pool:
    """The accounts of the workers that serve the same models: what is left of this round for whoever was served in it, and debts."""

    servers: dict[str, float] = field(default_factory=dict)
    people: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds that a person took in this round, on all servers."""
    share: float = QUANTUM
    load: float = 0.0
    """Seconds that loading takes, on average."""


@dataclass
class Policy:
    """Who is next: `lines` by model, server and person, an account for every pool, and what a job of each model costs."""

    weights: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, dict[str, list[Queued]]]] = field(default_factory=lambda: defaultdict(dict))
    pools: dict[frozenset[str], Pool] = field(default_factory=lambda: defaultdict(Pool))
    cost: dict[str, float] = field(default_factory=dict)

    def submit(self, job: Queued) -> None:
        """Puts a job into line."""
        self.lines[job.model].setdefault(job.tenant, {}).setdefault(job.person, []).append(job)

    def withdraw(self, job: Queued) -> None:
        """Takes a waiting job out of its line."""
        people = self.lines[job.model][job.tenant]
        people[job.person].remove(job)
        if not people[job.person]:
            del people[job.person]
        if not people:
            del self.lines[job.model][job.tenant]

    def turn(self, models: frozenset[str], resident: str | None, now: float, most: Mapping[str, int]) -> list[Queued]:
        """The jobs of one model that run next, at most so many of each."""
        pool, backlog = self.pools[models], self.backlog(models)
        if not backlog:
            return []
        pool.share = self.share(pool, len(backlog))
        if len(pool.servers) > ABSENT:
            pool.servers = _repaid(pool.servers, {tenant: self.share_of(pool, tenant) for tenant in backlog})
        for _ in range(2):
            barred: set[str] = set()
            while (model := self._due(pool, models - barred, resident, now)) is not None:
                if jobs := self.fill(pool, model, most[model]):
                    return jobs
                barred.add(model)
            self.next_round(pool, backlog)
        return []

    def fill(self, pool: Pool, model: str, most: int) -> list[Queued]:
        """Up to `most` jobs of a model."""
        jobs: list[Queued] = []
        while len(jobs) < most and (job := self.serve(pool, model)) is not None:
            jobs.append(job)
        return jobs

    def backlog(self, models: frozenset[str]) -> set[str]:
        """The servers that wait for any of these."""
        return {tenant for model in models for tenant in self.lines[model]}

    def share(self, pool: Pool, waiting: int) -> float:
        """Seconds of a round for each of so many servers: more where models take long to load, less where many wait."""
        return max(SMALLEST, min(QUANTUM + LOADS * pool.load, ROUND / waiting))

    def share_of(self, pool: Pool, tenant: str) -> float:
        """A server's own."""
        return pool.share * self.weights.get(tenant, 1.0)

    def credit(self, pool: Pool, tenant: str) -> float:
        """What is left to a server."""
        return pool.servers.get(tenant, self.share_of(pool, tenant))

    def eligible(self, pool: Pool, model: str) -> list[str]:
        """The servers that may be served now: any that has taken nothing in this round, whatever its weight, and who has something left."""
        taken = pool.servers
        return [tenant for tenant in self.lines[model] if taken.get(tenant, 1.0) > 0]

    def age(self, pool: Pool, model: str, now: float) -> float:
        """How long those have waited in sum."""
        return sum(now - self._since(model, tenant) for tenant in self.eligible(pool, model))

    def _since(self, model: str, tenant: str) -> float:
        return min(line[0].at for line in self.lines[model][tenant].values())

    def _due(self, pool: Pool, models: frozenset[str], resident: str | None, now: float) -> str | None:
        if resident in models and self.eligible(pool, resident):  # nearly always, and this is asked a thousand times for one look ahead
            return resident
        wanted = [model for model in sorted(models) if self.eligible(pool, model)]
        return max(wanted, key=lambda model: self.age(pool, model, now), default=None)

    def serve(self, pool: Pool, model: str) -> Queued | None:
        """The next job of a model, from the richest server's richest person who has something left of the round."""
        for tenant in self._richest(pool, model):
            share = self.share_of(pool, tenant)
            for person in self._people(pool, model, tenant, share):
                if pool.spent[person] < share:
                    job = self.lines[model][tenant][person][0]
                    self.withdraw(job)
                    self.charge(pool, job, self.cost.get(model, 1.0))
                    return job
        return None

    def _richest(self, pool: Pool, model: str) -> Iterator[str]:
        """Those who may be served, the first of them without putting all in order."""
        rest = self.eligible(pool, model)

        def rank(tenant: str) -> tuple[float, float]:
            return -self.credit(pool, tenant), self._since(model, tenant)

        while rest:
            first = min(rest, key=rank)
            yield first
            rest.remove(first)

    def _people(self, pool: Pool, model: str, tenant: str, share: float) -> list[str]:
        lines, credits = self.lines[model][tenant], pool.people[tenant]
        if len(credits) > ABSENT:
            pool.people[tenant] = credits = _repaid(credits, dict.fromkeys(lines, share))
        if max(credits.get(person, share) for person in lines) <= 0:
            pool.people[tenant] = credits = _next_round(credits, dict.fromkeys(lines, share))
        return sorted(lines, key=lambda person: (-credits.get(person, share), lines[person][0].at))

    def charge(self, pool: Pool, job: Queued, seconds: float) -> None:
        """Takes seconds from the accounts; a negative number gives them back."""
        share = self.share_of(pool, job.tenant)
        people = pool.people[job.tenant]
        pool.servers[job.tenant] = round(pool.servers.get(job.tenant, share) - seconds, 6)
        people[job.person] = round(people.get(job.person, share) - seconds, 6)
        pool.spent[job.person] += round(seconds, 6)

    def next_round(self, pool: Pool, backlog: set[str]) -> None:
        """Nobody is eligible."""
        pool.servers = _next_round(pool.servers, {tenant: self.share_of(pool, tenant) for tenant in backlog})
        pool.spent.clear()

    def loaded(self, models: frozenset[str], job: Queued, seconds: float) -> None:
        """The load is paid by all servers that waited for it."""
        pool = self.pools[models]
        payers = {tenant: min(lines, key=lambda one: lines[one][0].at) for tenant, lines in self.lines[job.model].items()}
        payers[job.tenant] = job.person
        for tenant, person in payers.items():
            self.charge(pool, replace(job, tenant=tenant, person=person), seconds / len(payers))
        pool.load = round(pool.load + 0.1 * (seconds - pool.load), 6) if pool.load else seconds


def _repaid(credits: dict[str, float], shares: dict[str, float]) -> dict[str, float]:
    """Whoever does not wait is repaid the least share of those who do, while there are more than ABSENT of them: many never come back."""
    absent = credits.keys() - shares.keys()
    if len(absent) <= ABSENT:
        return credits
    share = min(shares.values())
    after = {one: round(credit + share, 6) if one in absent else credit for one, credit in credits.items()}
    return {one: credit for one, credit in after.items() if one not in absent or credit < 0}


def _next_round(credits: dict[str, float], shares: dict[str, float]) -> dict[str, float]:
    """As many rounds at once as one of those who wait needs to be eligible; idle credit is dropped, debt is kept."""
    rounds = max(0, min(1 + math.floor(-credits.get(one, share) / share) for one, share in shares.items()))
    after = {one: round(credit + rounds * shares.get(one, 0.0), 6) for one, credit in credits.items()}
    return {one: credit for one, credit in after.items() if credit < shares.get(one, 0.0)}
