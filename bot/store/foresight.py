"""When waiting jobs will begin: the queue's policy, run ahead on what is in the queue and what jobs took. Who is told: `outputs.py`."""

from __future__ import annotations

import asyncio
import copy
import heapq
import math
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from redis.asyncio import Redis

from bot.store.keys import Keys
from bot.store.policy import Policy, Queued
from bot.store.snapshot import Snapshot, Snapshots, Worker

MOST_JOBS = 300
"""Waiting jobs that are looked at; who is further behind is told nothing yet."""


FUTURES = 21
"""Ways in which it may go on that are looked at. When a long line's jobs begin depends on which model is loaded once their server has
credit again; with nine futures three more estimates in a hundred were wrong."""

SURE = 0.75
"""The part of the futures that has to agree. With what fewer agree with, half of the estimates were wrong, of the others one of seven."""

HORIZON = 1_800.0
"""Seconds that are looked ahead."""


@dataclass(frozen=True, slots=True)
class Place:
    """So many jobs begin before it; it begins in about so many seconds, None while nobody can say: its kind is new, or it may go both ways.

    `away` is in how many seconds the first who serves it is back on duty: 0 is now, infinite when nobody knows.
    """

    ahead: int
    seconds: float | None
    away: float = 0.0

    def later(self, passed: float) -> Place:
        """The same place so many seconds later."""
        return self if self.seconds is None else replace(self, seconds=max(self.seconds - passed, 0.0))


@dataclass(slots=True)
class Hand:
    """A worker: its models with the most jobs of a turn, what it runs, and when it is free (seconds, 0 is now)."""

    models: Mapping[str, int]
    resident: str | None = None
    running: int = 0
    free: float = 0.0


@dataclass(slots=True)
class Outlook:
    """What waits, who works on it, and who asks how often: `rates` in jobs per second, by server and model.

    `away` are the models that nobody on duty serves, by the seconds until somebody does.
    """

    policy: Policy
    hands: list[Hand]
    now: float
    rates: Mapping[tuple[str, str], float] = field(default_factory=dict)
    away: Mapping[str, float] = field(default_factory=dict)


def foresee(outlook: Outlook) -> dict[str, Place]:
    """The places of all waiting jobs that somebody serves, by id.

    How many are ahead is counted as things stand. How long it takes is what most of a few futures agree with in which others
    ask as they did lately: who comes later may be served before, and without them four of ten estimates were less than half of the wait.
    """
    jobs = [job for people in outlook.policy.lines.values() for lines in people.values() for line in lines.values() for job in line]
    wanted, measured = {job.id for job in jobs}, set(outlook.policy.cost)
    standing = Future(copy.deepcopy(replace(outlook, rates={})), random.Random()).begin(wanted)  # noqa: S311  no secret
    futures = [Future(copy.deepcopy(outlook), random.Random(seed)).begin(wanted) for seed in range(FUTURES if measured else 0)]  # noqa: S311
    begins = {id: number for number, id in enumerate(standing)}
    absent = sorted((job for job in jobs if job.model in outlook.away and job.id not in standing), key=lambda job: job.at)
    places = {job.id: Place(begins[job.id], likely(job, futures) if job.model in measured else None) for job in jobs if job.id in standing}
    places |= {job.id: Place(sum(other.model == job.model for other in absent[:at]), None) for at, job in enumerate(absent)}
    return {job.id: replace(places[job.id], away=outlook.away.get(job.model, 0.0)) for job in jobs if job.id in places}


def likely(job: Queued, futures: Sequence[Mapping[str, float]]) -> float | None:
    """Seconds from which as few futures as possible are further away than by a factor of two; of several the one nearest the middle.

    None when these are too many: a number that is as likely wrong as right helps nobody, and as the job comes nearer they agree.
    """
    found = [future.get(job.id, HORIZON) for future in futures]
    middle = statistics.median(found)

    def agree(seconds: float) -> tuple[int, float]:
        return sum(one / 2 <= seconds <= one * 2 for one in found), -abs(seconds - middle)

    likely = max((one * step for one in found for step in (0.5, 1.0, 2.0)), key=agree)
    return likely if agree(likely)[0] >= SURE * len(found) else None


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
    """Takes a snapshot and looks ahead from it, in a thread of its own."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._snapshots = Snapshots(redis, keys)

    async def places(self) -> dict[str, Place]:
        """Of all waiting jobs that a living worker serves, as it is when they are told: looking far ahead takes a while."""
        snapshot = await self._snapshots.take(MOST_JOBS)
        if not snapshot.lines:
            return {}
        taken = time.monotonic()
        places = await asyncio.to_thread(foresee, outlook(snapshot))
        return {id: place.later(time.monotonic() - taken) for id, place in places.items()}


def outlook(seen: Snapshot) -> Outlook:
    """What the snapshot says of the future."""
    policy, serving = Policy(weights=dict(seen.weights), cost=dict(seen.costs)), seen.serving
    for worker in seen.workers:
        accounts, pool = seen.accounts[worker.pool], policy.pools[frozenset(worker.models)]
        pool.load = accounts.load
        pool.servers |= accounts.servers
        pool.spent |= accounts.spent
        pool.people |= {server: dict(people) for server, people in accounts.people.items()}
    for line in seen.lines:
        for id in line.ids:
            policy.submit(Queued(serving[line.wanted], line.server, line.person, line.since, id))
    rates = {(server, serving[want]): rate for (server, want), rate in seen.rates.items() if want in serving}
    back = {worker.id: max(worker.off.until - seen.now, 0.0) if worker.off else 0.0 for worker in seen.workers}
    soonest = {model: min(back[worker.id] for worker in seen.workers if model in worker.models) for model in set(serving.values())}
    hands = [_hand(worker, seen, back[worker.id]) for worker in seen.workers if back[worker.id] < HORIZON]
    return Outlook(policy, hands, seen.now, rates, {model: left for model, left in soonest.items() if left > 0.0})


def _hand(worker: Worker, seen: Snapshot, back: float) -> Hand:
    left = sum(max(seen.costs.get(run.model, 1.0) - run.seconds, 0.0) for run in worker.running)
    model = worker.running[-1].model if worker.running else None
    if model is not None and model not in worker.resident:  # it is being loaded, and what runs has not begun
        left = sum(seen.costs.get(run.model, 1.0) for run in worker.running)
        left += max(seen.accounts[worker.pool].load - worker.running[0].seconds, 0.0)
    elif model is None and len(worker.resident) == 1:
        [model] = worker.resident
    return Hand(worker.models, model, len(worker.running), max(left, back))
