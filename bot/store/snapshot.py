"""The queue at one moment, read in one script. Looking ahead from it: `foresight.py`; showing it to an operator: `bot/cli/watching.py`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.duty import Leave, leave
from bot.store.keys import Keys
from bot.store.scripts import Scripts

SHORTEST = 10.0
"""Seconds over which it is counted, at least, who asked how often; the most is five minutes, see `lua/queue_snapshot.lua`."""


@dataclass(frozen=True, slots=True)
class Run:
    """A job that runs: on which model, of which server, for how many seconds so far, and whether it makes room for another model."""

    model: str
    server: str
    seconds: float
    parked: bool


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker: its models with the most jobs of a turn and with what they serve, and what it runs.

    `id` is its process's, `name` what the operator calls it by; `resident` is what its device has in memory, in bytes, and `room` what it
    has for models, 0 where it does not say; `off` says that it is off duty.
    """

    id: str
    name: str
    owns: bool
    pool: str
    models: Mapping[str, int]
    serves: Mapping[str, str]
    running: Sequence[Run]
    resident: Mapping[str, int]
    off: Leave | None
    room: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """The waiting jobs of one person; `since` is when the first was submitted, in seconds."""

    wanted: str
    server: str
    person: str
    since: float
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Seconds of a pool's round: what is left to servers and people who were served in it, what people took, what loading takes."""

    servers: Mapping[str, float]
    people: Mapping[str, Mapping[str, float]]
    spent: Mapping[str, float]
    load: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`costs` are the seconds that jobs take, by model; `rates` the jobs per second that servers asked for lately, by (server, what)."""

    now: float
    workers: Sequence[Worker]
    lines: Sequence[Line]
    accounts: Mapping[str, Accounts]
    costs: Mapping[str, float]
    weights: Mapping[str, float]
    rates: Mapping[tuple[str, str], float]

    @property
    def serving(self) -> dict[str, str]:
        """A model for everything that somebody serves, of somebody on duty where there is one."""
        absent, present = ([one for one in reversed(self.workers) if (one.off is None) == on_duty] for on_duty in (False, True))
        return {want: model for worker in (*absent, *present) for want, model in worker.serves.items()}


class Snapshots:
    """Takes snapshots."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._snapshot = Scripts(redis)("queue_snapshot", "queue_common", "queue_policy")

    @guarded
    async def take(self, most: int) -> Snapshot:
        """The living workers and what they serve, with at most so many waiting jobs."""
        seconds, micros = await self._redis.time()
        living = await self._redis.zrangebyscore(self._keys.workers(), seconds * 1000 + micros // 1000, "+inf")
        known = [json.loads(cast("bytes", entry)) for entry in living]
        workers = [worker for worker in known if worker.keys() >= {"worker", "pool", "wants", "models"}]  # of this release
        pools = sorted({worker["pool"] for worker in workers})
        wants = sorted({want for worker in workers for want in worker["wants"]})
        found = await self._snapshot(args=[self._keys.prefix, most, len(pools), *pools, *wants])
        async with self._redis.pipeline(transaction=False) as batch:
            batch.hgetall(self._keys.duty())
            for worker in workers:
                batch.hget(self._keys.worker(worker["worker"]), "resident")
            duty, *resident = await batch.execute()
        orders = {name.decode(): order.decode() for name, order in duty.items()}
        held = [worker | {"resident": json.loads(told or "{}")} for worker, told in zip(workers, resident, strict=True)]
        return _read(found, held, pools, orders)


def _read(found: Sequence[Any], workers: Sequence[Mapping[str, Any]], pools: Sequence[str], orders: Mapping[str, str]) -> Snapshot:
    now, facts, weights, asked, lines, running, *accounts = found
    known = _pairs(facts)
    return Snapshot(
        now=float(now) / 1e6,
        workers=[_worker(worker, running, orders, float(now) / 1e6) for worker in workers],
        lines=[_line(words, float(at) / 1e6, ids) for *words, at, ids in lines],
        accounts={pool: _accounts(kept, float(known.get(f"load:{pool}", 0))) for pool, kept in zip(pools, accounts, strict=True)},
        costs={name.removeprefix("job:"): float(value) for name, value in known.items() if name.startswith("job:")},
        weights=_scores(weights),
        rates=_rates(asked, float(now) / 1e6),
    )


def _worker(worker: Mapping[str, Any], running: Sequence[bytes], orders: Mapping[str, str], now: float) -> Worker:
    name, owns = worker.get("name", worker["worker"]), worker.get("owns", True)
    return Worker(
        id=worker["worker"],
        name=name,
        owns=owns,
        pool=worker["pool"],
        models={model: most for model, (most, _) in worker["models"].items()},
        serves={want: model for model, (_, wants) in reversed(worker["models"].items()) for want in wants},
        running=[
            Run(model.decode(), server.decode(), int(elapsed) / 1000, parked == b"1")
            for owner, model, server, elapsed, parked in zip(*(iter(running),) * 5, strict=True)
            if owner.decode() == worker["worker"]
        ],
        resident=worker["resident"],
        off=leave(orders, name, owns, now),
        room=worker.get("room", 0),
    )


def _line(words: Sequence[bytes], since: float, ids: Sequence[bytes]) -> Line:
    wanted, server, person = (word.decode() for word in words)
    return Line(wanted, server, person, since, [id.decode() for id in ids])


def _accounts(kept: Sequence[Any], load: float) -> Accounts:
    servers, spent, *people = kept
    credits = {tenant.decode(): _scores(scores) for tenant, scores in zip(people[::2], people[1::2], strict=True)}
    return Accounts(_scores(servers), credits, _scores(spent), load)


def _rates(asked: Sequence[Sequence[bytes]], now: float) -> dict[tuple[str, str], float]:
    """Over the time since the first minute that anything is known of; `asked` begins with this minute."""
    counts: Counter[tuple[str, str]] = Counter()
    for minute in asked:
        for who, count in _pairs(minute).items():
            want, _, tenant = who.partition("|")
            counts[tenant, want] += int(count)
    known = max((minutes for minutes, minute in enumerate(asked) if minute), default=0)
    return {who: count / max(now % 60 + 60 * known, SHORTEST) for who, count in counts.items()}


def _pairs(flat: Sequence[bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _scores(flat: Sequence[bytes]) -> dict[str, float]:
    return {name: float(score) for name, score in _pairs(flat).items()}
