"""What must be true of the queue, in plain Python: jobs, claims, workers who may be wrong. Held to it in `test_queue_machine.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from redis.asyncio import Redis

from bot.store.keys import Keys
from bot.store.shifts import Claim, Offer, Shift

MOST = 3
"""Jobs of one turn."""


@dataclass
class Known:
    """What must be true of a job."""

    want: str
    tenant: str
    person: str
    voice: str
    ticket: str
    state: Literal["waiting", "running", "done", "gone"] = "waiting"
    fence: int = 0
    crashes: int = 0
    alone: bool = False
    charged: bool = False
    ended: str = ""

    def queue_again(self) -> None:
        self.state, self.charged = "waiting", False
        self.fence += 1

    def close(self, how: str) -> None:
        assert not self.ended
        self.state, self.ended = "done", how
        self.fence += 1


@dataclass
class Turn:
    """What a worker believes that it runs."""

    model: str
    claims: list[Claim]
    since: float = 0.0

    def offer(self) -> Offer:
        room = 0 if any(claim.alone for claim in self.claims) else MOST - len(self.claims)
        return Offer(self.model, [f"say:{self.model}"], room, True, self.since, self.claims[0].batch)


@dataclass
class Hand:
    """A worker: the turn that it runs, and one that it has parked."""

    shift: Shift
    models: tuple[str, ...]
    turn: Turn | None = None
    parked: Turn | None = None

    def offers(self) -> list[Offer]:
        parked = {self.parked.model: self.parked.offer()} if self.parked else {}
        return [parked.get(model) or Offer(model, [f"say:{model}"], MOST, False) for model in self.models]

    @property
    def room(self) -> int:
        """Jobs that may join what it runs."""
        return 0 if self.turn is None else self.turn.offer().most

    def forget(self, claim: Claim) -> None:
        """It believes no longer that it runs this."""
        for turn in (self.turn, self.parked):
            if turn is not None and claim in turn.claims:
                turn.claims.remove(claim)
        self.turn = self.turn if self.turn and self.turn.claims else None
        self.parked = self.parked if self.parked and self.parked.claims else None


@dataclass
class Claimed:
    """A claim that was once given, and to whom; it may be long out of date."""

    claim: Claim
    hand: Hand


@dataclass
class World:
    """All that must be true."""

    jobs: dict[str, Known] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)

    def waiting(self, *wants: str) -> list[str]:
        return [id for id, job in self.jobs.items() if job.state == "waiting" and (not wants or job.want in wants)]

    def under_way(self) -> list[tuple[str, Known]]:
        return [(id, job) for id, job in self.jobs.items() if job.state in ("waiting", "running")]

    def of(self, ticket: str) -> list[str]:
        return [id for id, job in self.jobs.items() if job.ticket == ticket]

    def depth(self) -> Counter[str]:
        jobs = [self.jobs[id] for id in self.waiting()]
        return Counter([job.tenant for job in jobs] + [f"{job.tenant}|{job.person}" for job in jobs])

    def current(self, claim: Claim) -> bool:
        job = self.jobs.get(claim.id)
        return job is not None and job.state == "running" and job.fence == claim.fence


async def agree(redis: Redis, keys: Keys, world: World, wants: Sequence[tuple[str, str]], people: Sequence[str]) -> None:
    """Reads everything at once and fails where it is not as in the world. `wants` are all pairs of what is wanted and a server."""
    found = iter(await _read(redis, keys, world, wants, people))
    waiting = [world.jobs[id] for id in world.waiting()]
    assert {name.decode(): int(count) for name, count in next(found).items()} == dict(world.depth())
    assert _names(next(found)) == set(world.waiting())
    assert _names(next(found)) == {id for id, job in world.jobs.items() if job.state == "running"}
    assert _names(next(found)) == world.dead
    for want, tenant in wants:
        theirs = [job for job in waiting if (job.want, job.tenant) == (want, tenant)]
        assert (tenant in _names(next(found))) == bool(theirs)
        assert _names(next(found)) == {job.person for job in theirs}
        assert sum(next(found) for _ in people) == len(theirs)
    for id, job in world.under_way():
        state, *numbers = next(found)
        assert (state.decode(), [int(number) for number in numbers]) == (job.state, [job.fence, job.crashes, int(job.alone)]), id


async def _read(redis: Redis, keys: Keys, world: World, wants: Sequence[tuple[str, str]], people: Sequence[str]) -> list[Any]:
    async with redis.pipeline(transaction=False) as batch:
        batch.hgetall(f"{keys.prefix}:depth")
        for name in ("deadlines", "leases:jobs", "dead-jobs"):
            batch.zrange(f"{keys.prefix}:{name}", 0, -1)
        for want, tenant in wants:
            batch.zrange(f"{keys.prefix}:tenants:{want}", 0, -1)
            batch.zrange(f"{keys.prefix}:persons:{want}:{tenant}", 0, -1)
            for person in people:
                batch.llen(f"{keys.prefix}:jobs:{want}:{tenant}|{person}")
        for id, _ in world.under_way():
            batch.hmget(keys.job(id), ["state", "fence", "crashes", "alone"])
        return list(await batch.execute())


def _names(found: list[bytes]) -> set[str]:
    return {name.decode() for name in found}
