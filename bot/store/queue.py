"""The queue as routers see it: submit, follow, cancel. What workers do with it: `shifts.py`; who is served next: `lua/queue_claim.lua`."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from redis.asyncio import Redis

from bot.errors import Busy, JobCancelled, JobError, JobExpired, JobFailed, JobLost, JobRefused, JobTimedOut
from bot.jobs import Job, wanted
from bot.store.connection import guarded
from bot.store.duty import Duty, leave
from bot.store.foresight import Foresight
from bot.store.keys import Keys
from bot.store.outputs import Broken, Finished, Outputs, Running, Shown, Update, Waiting
from bot.store.quotas import Charge, charged, exhausted
from bot.store.scripts import Scripts
from bot.traces import Request
from bot.translation import tr

__all__ = ["Broken", "Exchanged", "Finished", "Queue", "Running", "Shown", "Update", "Waiting"]

LEASE = 8.0
"""Seconds a job stays with a worker that has gone silent."""

MOST_CRASHES = 3
"""Workers that may die of a job that they run alone."""

NO_CAP = 1_000_000_000

NONE: Mapping[str, float] = MappingProxyType({})


class Exchanged(JobCancelled):
    """Another model was chosen for the job, whose name is the text: it is to be asked for anew."""


class Withdrawn(JobCancelled):
    """Who asked has taken the question back, and wants to hear nothing of it any more."""


KINDS: dict[str, type[JobError]] = {
    kind.__name__: kind for kind in (JobFailed, JobRefused, JobTimedOut, JobExpired, JobLost, JobCancelled, Exchanged, Withdrawn)
}


def error_json(error: JobError) -> str:
    """An error as it travels."""
    return json.dumps({"error": type(error).__name__, "text": str(error)})


def read_error(content: str | bytes) -> JobError:
    """The error that travelled."""
    found = json.loads(content)
    return KINDS.get(found["error"], JobFailed)(found["text"])


@dataclass(frozen=True, slots=True)
class Depth:
    """Jobs of a server, and of a person in it, that may wait at once; more would only be told later that they waited too long."""

    server: int = 50
    person: int = 3


class Queue:
    """Accepts jobs and tells how they go."""

    def __init__(
        self, redis: Redis, keys: Keys, *, depth: Depth = Depth(), deadlines: Mapping[str, float] = NONE, lease: float = LEASE
    ) -> None:
        """`deadlines` in seconds, by kind of job, stand for those that the kinds state themselves."""
        self._depth = depth
        self._deadlines = deadlines
        self._redis = redis
        self._prefix = keys.prefix
        self._keys = keys
        self._lease = round(lease * 1000)
        script = Scripts(redis)
        self._submit = script("queue_submit", "queue_common", "quota_common")
        self._cancel = script("queue_cancel", "queue_common")
        self._exchange = script("queue_exchange", "queue_common")
        self._drop = script("queue_drop", "queue_common")
        self._reap = script("queue_reap", "queue_common", "queue_policy")
        self._duty = Duty(redis, keys)
        self._outputs = Outputs(redis, keys, Foresight(redis, keys).places, read_error)

    def deadline(self, job: Job[Any]) -> float:
        """Seconds for which the job may wait before an answer is worth nothing."""
        return self._deadlines.get(job.kind, job.deadline)

    @guarded
    async def submit(
        self,
        job: Job[Any],
        *,
        id: str,
        ticket: str,
        tenant: str,
        person: str,
        admitted: bool = False,
        trace: str = "",
        charges: Sequence[Charge] = (),
        pace: float = 0.0,
    ) -> None:
        """Puts the job into line; the same id again changes nothing. Raises Busy when too much waits, Exhausted when what is to be
        charged goes too far, JobCancelled after `cancel`.

        Who was `admitted` with another job in its place is not turned away now; `trace` is what the worker's part of it belongs to. A
        charge of 0 device seconds is that of those which the job will have taken. `pace` is how many seconds lie between two partials that
        somebody sees.
        """
        times = [round(self.deadline(job) * 1000), round(job.timeout * 1000)]
        said = job.model_dump(mode="json", include=job.model_fields_set)  # what was not said, a worker of another release need not know
        body = json.dumps({"kind": job.kind, "job": said, "ticket": ticket, "at": time.time(), "trace": trace, "pace": pace})
        args: list[str | float] = [
            self._prefix,
            id,
            wanted(job.kind, job.model),
            job.batch_key(),
            body,
            ticket,
            tenant.replace("|", "%7C"),
            person.replace("|", "%7C"),
            *times,
            NO_CAP if admitted else self._depth.server,
            NO_CAP if admitted else self._depth.person,
            json.dumps(
                [[one.key(self._keys), one.seconds * 1000] for charge in charges for one in charge.meters if one.measure == "device"]
            ),
            *charged(self._keys, charges, forgiving=admitted),
        ]
        state, *more = await self._submit(args=args)
        if state == b"cancelled":
            raise read_error(more[0])
        if state == b"busy":
            raise Busy(_too_many(*more))
        if state == b"over":
            raise exhausted(charges, *more)

    async def follow(self, id: str) -> AsyncIterator[Update]:
        """How the job goes, from now until Finished or Broken; a job that has ended already says only that."""
        async for update in self._outputs.follow(id):
            yield update

    @guarded
    async def cancel(self, ticket: str) -> None:
        """Ends all jobs of the ticket, now and in future."""
        await self._cancel(args=[self._prefix, ticket, error_json(JobCancelled("cancelled"))])

    @guarded
    async def withdraw(self, ticket: str) -> None:
        """The same, of a question that is not asked any more."""
        await self._cancel(args=[self._prefix, ticket, error_json(Withdrawn("taken back"))])

    @guarded
    async def exchange(self, ticket: str, kind: str, model: str) -> bool:
        """Takes the ticket's waiting jobs of this kind out of line; who follows them hears Exchanged. False when none waits any more."""
        return bool(await self._exchange(args=[self._prefix, ticket, kind, error_json(Exchanged(model))]))

    @guarded
    async def drop(self, ticket: str) -> None:
        """Forgets what the jobs of an ended ticket gave; those still in line are cancelled, because nobody waits for them."""
        await self._cancel(args=[self._prefix, ticket, error_json(JobCancelled("nobody waits for it"))])
        await self._drop(args=[self._prefix, ticket])

    @guarded
    async def weigh(self, weights: Mapping[str, float]) -> None:
        """Makes these servers' shares of the devices larger or smaller than 1, which is everybody else's."""
        async with self._redis.pipeline(transaction=True) as batch:
            batch.delete(self._keys.weights())
            if weights:
                batch.hset(self._keys.weights(), mapping={tenant: str(weight) for tenant, weight in weights.items()})
            await batch.execute()

    @guarded
    async def served(self) -> frozenset[str]:
        """What the living workers serve: kinds, and kinds with a model ("generate:name")."""
        return frozenset(want for worker in await self._living() for want in worker["wants"])

    @guarded
    async def models_of(self, ticket: str) -> frozenset[str]:
        """The models that the ticket's jobs run on, or may come to run on."""
        found: set[str] = set()
        for id in cast("set[bytes]", await self._redis.smembers(self._keys.jobs_of(ticket))):
            want = cast("bytes", await self._redis.hget(self._keys.job(id.decode()), "want") or b"").decode()
            kind, _, model = want.partition(":")
            found.update([model] if model else await self.models(kind))
        return frozenset(found)

    @guarded
    async def facts(self, ticket: str) -> list[Request]:
        """What became of the ticket's jobs, until they are forgotten."""
        found: list[Request] = []
        for id in sorted(cast("set[bytes]", await self._redis.smembers(self._keys.jobs_of(ticket)))):
            facts = await self._redis.hmget(self._keys.job(id.decode()), ["want", "model", "at", "begun", "took"])
            want, model, at, begun, took = (None if one is None else cast("bytes", one).decode() for one in facts)
            waited = max(0.0, float(begun) / 1000 - float(at) / 1e6) if begun and at else None
            kind, _, wished = (want or "").partition(":")
            found.append(Request(kind=kind, model=model or wished, waited=waited, worked=float(took) if took else None))
        return found

    @guarded
    async def models(self, kind: str = "") -> list[str]:
        """The models that living workers serve, by name; of those alone that run jobs of this kind, where there is one."""
        living = await self._living()
        return sorted({model for one in living for model in one["models"] if not kind or wanted(kind, model) in one["wants"]})

    @guarded
    async def ready(self) -> frozenset[str]:
        """What of that is served by somebody who is on duty."""
        orders, now = await self._duty.orders(), time.time()
        on_duty = [one for one in await self._living() if leave(orders, one.get("name", ""), one.get("owns", True), now) is None]
        return frozenset(want for worker in on_duty for want in worker["wants"])

    @guarded
    async def understood(self, id: str, want: str) -> bool:
        """Whether somebody lives who serves this, and has not refused this very job as of another release."""
        refused = cast("bytes", await self._redis.hget(self._keys.job(id), "refused") or b"").decode()
        serving = [one for one in await self._living() if want in one["wants"]]
        return any(not refused or not _refused(refused, one, want) for one in serving)

    async def _living(self) -> list[dict[str, Any]]:
        seconds, micros = await self._redis.time()
        living = await self._redis.zrangebyscore(self._keys.workers(), seconds * 1000 + micros // 1000, "+inf")
        return [json.loads(cast("bytes", entry)) for entry in living]

    @guarded
    async def reap(self) -> int:
        """Gives the jobs of dead workers to others and ends what waited too long; returns how many."""
        lost = error_json(JobLost(f"{MOST_CRASHES} workers died while they ran it"))
        late = error_json(JobExpired("it waited longer than its kind allows"))
        return int(await self._reap(args=[self._prefix, self._lease, MOST_CRASHES, lost, late]))

    async def close(self) -> None:
        """Stops following."""
        await self._outputs.close()


def _refused(refused: str, worker: Mapping[str, Any], want: str) -> bool:
    models = [model for model, (_, wants) in worker["models"].items() if want in wants]
    return all(worker.get("schemas", {}).get(model) in refused.split() for model in models)


def _too_many(whose: bytes, waiting: int) -> str:
    if whose == b"person":
        return tr(
            "{n} request of yours is waiting here already. Please ask again when it is answered.",
            "{n} requests of yours are waiting here already. Please ask again when some of them are answered.",
            n=waiting,
        )
    return tr(
        "{n} request is waiting here already, all of them ahead of you. Please ask again when it is answered.",
        "{n} requests are waiting here already, all of them ahead of you. Please ask again when some of them are answered.",
        n=waiting,
    )
