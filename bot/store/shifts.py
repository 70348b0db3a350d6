"""The queue as a worker sees it: claim, renew, emit, finish, hand back. Running what was claimed: `bot/worker/`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from bot.errors import JobError, JobTimedOut
from bot.store.connection import blocking, guarded
from bot.store.digests import digest
from bot.store.duty import Duty, Leave
from bot.store.keys import Keys
from bot.store.queue import LEASE, error_json
from bot.store.scripts import Scripts

ANY = "*"
"""The batch key with which jobs join that need not be alike."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of this worker. `body` is the job's JSON, `timeout` in seconds; `alone`: no other may run beside it."""

    id: str
    fence: int
    body: dict[str, Any]
    batch: str
    timeout: float
    alone: bool

    @property
    def ref(self) -> str:
        """The reference id of the ticket that it is for; "" from a router of an older release."""
        return str(self.body.get("ticket", ""))[:10]

    @property
    def pace(self) -> float:
        """Seconds between two partials that somebody sees; 0.0 where its router says nothing."""
        return float(self.body.get("pace") or 0.0)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that may run: the most jobs it takes, and since when (seconds since 1970) work that it began waits to go on, or 0."""

    model: str
    wants: Sequence[str]
    most: int = 1
    resident: bool = True
    parked: float = 0.0
    batch: str = ""
    """The batch key of what goes on; only jobs of the same may join it."""
    schema: str = ""
    """Which form of its jobs it knows (`bot.jobs.shape`); told once, with what the worker serves."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn: whose, with which jobs. `closing`: another model is due, so a turn that runs must come to its end.

    `off`: the worker is off duty, and is given nothing new.
    """

    model: str
    claims: list[Claim]
    closing: bool = False
    off: bool = False


class Shift:
    """One worker's dealings with the queue. `worker` names its process, `serves` the models it can run, on which kind of `device`.

    Workers that serve the same on the same kind of device are a pool and share its accounts. `name` is what the operator calls it by;
    one that `owns` no device is not meant when the operator needs the devices. `room` is that device's memory for models, in bytes.
    """

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        worker: str,
        serves: Sequence[Offer],
        *,
        name: str = "",
        device: str = "",
        owns: bool = True,
        room: int = 0,
        lease: float = LEASE,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self.worker = worker
        self.name = name or worker
        self.owns = owns
        self._room = room
        self._duty = Duty(redis, keys)
        self._told: str | None = None
        self.wants = tuple(sorted({want for offer in serves for want in offer.wants}))
        self._serves = serves
        self._schemas = {offer.model: offer.schema for offer in serves}
        self.lease = lease
        self.pool = digest(*self.wants, *([device] if device else []))[:12]
        self._held: dict[str, int] = {}
        script = Scripts(redis)
        self._claim = script("queue_claim", "queue_common", "queue_policy")
        self._emit = script("queue_emit", "queue_common")
        self._finish = script("queue_finish", "queue_common", "queue_policy", "quota_common")
        self._release = script("queue_release", "queue_common", "queue_policy")
        self._refuse = script("queue_refuse", "queue_common", "queue_policy")
        self._loaded = script("queue_loaded", "queue_common", "queue_policy")
        self._park = script("queue_park", "queue_common")
        self._renew = script("queue_renew", "queue_common")

    @property
    def registration(self) -> str:
        """How this worker is known among the living."""
        models = {offer.model: [offer.most, offer.wants] for offer in self._serves}
        known = {"worker": self.worker, "name": self.name, "owns": self.owns, "pool": self.pool, "wants": self.wants, "room": self._room}
        return json.dumps(known | {"models": models, "schemas": self._schemas})

    @property
    def holding(self) -> bool:
        """True while jobs are in its hands."""
        return bool(self._held)

    @property
    def renewal(self) -> list[str | int]:
        """What `queue_renew` is called with, here and by the warden."""
        late = error_json(JobTimedOut("it ran longer than its kind allows"))
        held = [word for id, fence in self._held.items() for word in (id, fence)]
        return [self._keys.prefix, self.worker, round(self.lease * 1000), self.registration, late, *held]

    @guarded
    async def claim(self, offers: Sequence[Offer], *, joined: str = "", batch: str = "") -> Begun:
        """Jobs that may run together, for the model whose turn it is.

        With `joined`, jobs of this batch key (or of ANY) for the model of that name, whose turn runs already; where it has room
        left, `orders` tells of the next.
        """
        args: list[str | int] = [
            self._keys.prefix,
            self.worker,
            round(self.lease * 1000),
            self.pool,
            self.name,
            int(self.owns),
            joined,
            batch,
        ]
        for offer in offers:
            args += [offer.model, offer.most, int(offer.resident), round(offer.parked * 1000), offer.batch]
            args += [self._schemas.get(offer.model, ""), len(offer.wants), *offer.wants]
        model, closing, *found = await self._claim(args=args)
        claims = [_claim(found[at : at + 6]) for at in range(0, len(found), 6)]
        self._held |= {claim.id: claim.fence for claim in claims}
        return Begun(model.decode(), claims, closing == 1, closing == 2)

    @guarded
    async def loaded(self, offer: Offer, seconds: float, claims: Sequence[Claim]) -> None:
        """Tells what it took to load a model for these jobs, and for the others that wait for it."""
        await self._loaded(args=[self._keys.prefix, self.pool, seconds, len(claims), *_fenced(claims), *offer.wants])

    @guarded
    async def wait(self, wants: Sequence[str], seconds: float) -> None:
        """Returns when one of these may have a job, or after `seconds`. Only for the idle: it takes the token that wakes one worker."""
        await blocking(self._redis.blpop([self._keys.work(want) for want in wants], timeout=seconds))

    @guarded
    async def orders(self, seconds: float) -> str | None:
        """The id of a job that was cancelled, "" when a job came that may join the turn, None after `seconds`."""
        found = cast("tuple[bytes, bytes] | None", await blocking(self._redis.blpop([self._keys.orders(self.worker)], timeout=seconds)))
        return None if found is None else found[1].decode()

    @guarded
    async def emit_all(self, partials: Sequence[tuple[Claim, str]]) -> list[bool]:
        """Shows how several jobs stand, at one moment; False for those that are no longer ours."""
        said = [word for claim, partial in partials for word in (claim.id, claim.fence, partial)]
        return [bool(ours) for ours in await self._emit(args=[self._keys.prefix, *said])]

    @guarded
    async def finish(self, claim: Claim, result: str, seconds: float) -> bool:
        """Hands in the result and the device seconds it took; False when the job is no longer ours."""
        return await self._close(claim, "finished", result, seconds)

    @guarded
    async def fail(self, claim: Claim, error: JobError, seconds: float) -> bool:
        """Ends the job without a result; False when it is no longer ours."""
        return await self._close(claim, "broken", error_json(error), seconds)

    async def _close(self, claim: Claim, state: str, value: str, seconds: float) -> bool:
        ours = bool(await self._finish(args=[self._keys.prefix, claim.id, claim.fence, state, value, seconds]))
        self._forget(claim)
        return ours

    def _forget(self, claim: Claim) -> None:
        if self._held.get(claim.id) == claim.fence:
            del self._held[claim.id]

    @guarded
    async def hand_back(self, claims: Sequence[Claim]) -> None:
        """Gives jobs back to the front of their lines, without counting a crash."""
        for claim in claims:
            self._forget(claim)  # first: where Redis is away, the lease must not be renewed
        if claims:
            await self._release(args=[self._keys.prefix, *_fenced(claims)])

    @guarded
    async def refuse(self, claim: Claim, model: str) -> None:
        """Leaves a job that this release does not understand to a worker of another."""
        self._forget(claim)
        await self._refuse(args=[self._keys.prefix, claim.id, claim.fence, self._schemas.get(model, "")])

    @guarded
    async def park(self, claims: Sequence[Claim]) -> None:
        """These do not run for a while, which does not count against their timeout."""
        await self._park(args=[self._keys.prefix, 1, *_fenced(claims)])

    @guarded
    async def resume(self, claims: Sequence[Claim]) -> None:
        """These go on."""
        await self._park(args=[self._keys.prefix, 0, *_fenced(claims)])

    @guarded
    async def renew(self) -> bool:
        """Extends all leases of this worker and its registration; True when a job has outlived its timeout."""
        return bool(await self._renew(args=self.renewal))

    async def leave(self) -> Leave | None:
        """Whether the operator has it off duty."""
        return await self._duty.leave(self.name, self.owns)

    async def quiet(self, until: float) -> None:
        """Goes off duty until then, in seconds since 1970."""
        await self._duty.quiet(self.name, until)

    @guarded
    async def holds(self, models: Mapping[str, int]) -> None:
        """Tells what is in the device's memory, in bytes."""
        told = json.dumps(models)
        if told != self._told:
            async with self._redis.pipeline(transaction=True) as batch:
                batch.hset(self._keys.worker(self.worker), "resident", told)
                batch.expire(self._keys.worker(self.worker), 86_400)
                await batch.execute()
            self._told = told

    @guarded
    async def sign_off(self) -> None:
        """Leaves the living at once."""
        async with self._redis.pipeline(transaction=True) as batch:
            batch.zrem(self._keys.workers(), self.registration)
            batch.delete(self._keys.orders(self.worker), self._keys.worker(self.worker))
            await batch.execute()


def _fenced(claims: Sequence[Claim]) -> list[str | int]:
    """Their ids, each with its fence, as the scripts take them."""
    return [word for claim in claims for word in (claim.id, claim.fence)]


def _claim(found: Sequence[Any]) -> Claim:
    id, fence, body, batch, timeout, alone = found
    return Claim(id.decode(), int(fence), json.loads(body), batch.decode(), int(timeout) / 1000, alone == b"1")
