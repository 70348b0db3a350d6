"""What people asked for and is not answered yet, for whoever looks at it all. How much waits in which line: `snapshot.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

from pydantic import ValidationError
from redis.asyncio import Redis

from bot.jobs import Progress, partial_json
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.tickets import Body


@dataclass(frozen=True, slots=True)
class Request:
    """A ticket under way: whose, of which plugin, since when (seconds since 1970); and how its job stands, where it has one.

    `state` is "waiting" or "running"; `done` of `total` are in `unit`, and `total` is 0 where the job does not say.
    """

    ticket: str
    plugin: str
    route: str
    server: str
    person: str
    since: float
    state: str = "running"
    model: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""


class Requests:
    """Reads them."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def all(self, most: int) -> list[Request]:
        """The oldest first, of those that a router has in hand; at most so many."""
        ids = [id.decode() for id in cast("list[bytes]", await self._redis.zrange(self._keys.ticket_leases(), 0, most - 1))]
        async with self._redis.pipeline(transaction=False) as batch:
            for id in ids:
                batch.hget(self._keys.ticket(id), "body")
                batch.smembers(self._keys.jobs_of(id))
            found = await batch.execute()
        bodies = {id: body for id, found in zip(ids, found[::2], strict=True) if (body := _body(found)) is not None}
        jobs = {id: [job.decode() for job in those] for id, those in zip(ids, found[1::2], strict=True) if id in bodies}
        stand = await self._standing([job for those in jobs.values() for job in those])
        shown = [_request(id, body, [stand[job] for job in jobs[id]]) for id, body in bodies.items()]
        return sorted(shown, key=lambda one: one.since)

    async def _standing(self, jobs: Sequence[str]) -> dict[str, Stand]:
        async with self._redis.pipeline(transaction=False) as batch:
            for job in jobs:
                batch.hmget(self._keys.job(job), ["state", "model", "want"])
                batch.xrevrange(self._keys.out(job), count=1)
            found = await batch.execute()
        return {
            job: Stand(state, model, want, out[0][1] if out else {})
            for job, (state, model, want), out in zip(jobs, found[::2], found[1::2], strict=True)
        }


class Stand(NamedTuple):
    """How a job stands: what the store has of it, and what it told last."""

    state: bytes | None
    model: bytes | None
    want: bytes | None
    told: Mapping[bytes, bytes]


def _body(found: bytes | None) -> Body | None:
    try:
        return None if found is None else Body.model_validate_json(found)
    except ValidationError:  # of another release
        return None


def _request(id: str, body: Body, jobs: Sequence[Stand]) -> Request:
    message = body.message
    plain = Request(id, body.plugin, body.route, message.address.tenant, message.sender.name, message.at)
    for job in jobs:
        if job.state in (b"waiting", b"running"):
            far = _far(job.told)
            told = replace(plain, state=job.state.decode(), model=(job.model or job.want or b"").decode())
            return replace(told, done=far.done, total=far.total, unit=far.unit) if far else told
    return plain


def _far(told: Mapping[bytes, bytes]) -> Progress | None:
    if told.get(b"state") != b"partial":
        return None
    try:
        partial = partial_json.validate_json(told[b"value"])
    except ValidationError:  # of another release
        return None
    return partial if isinstance(partial, Progress) else None
