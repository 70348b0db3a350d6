"""Counts what is used, in Redis and exactly, however many count at once. What may be used: `bot/router/metering.py`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

from bot.errors import Refused
from bot.quotas import Measure
from bot.store.connection import guarded
from bot.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Meter:
    """A counter that begins anew `seconds` after the first use, and how far it may go; `fixed` where the operator has decided it.

    It counts for a person in a `tenant`, in all of them ("", of a platform, which the `person` names), or for all of a tenant ("").
    """

    measure: Measure
    limit: float
    seconds: int
    tenant: str
    person: str = ""
    fixed: bool = False

    def key(self, keys: Keys) -> str:
        """Where it is kept."""
        return keys.used(self.measure, self.seconds, self.tenant, self.person)


@dataclass(frozen=True, slots=True)
class Charge:
    """That so much is used, of each of these; nothing when one of them would go too far. With `of`, for new tickets of these ids alone."""

    meters: Sequence[Meter] = ()
    amount: float = 1.0
    of: Collection[str] = ()


NOTHING = Charge()


class Exhausted(Refused):
    """A limit is reached; it begins anew in `left` seconds."""

    def __init__(self, meter: Meter, left: float, amount: float = 1.0) -> None:
        super().__init__(f"{meter.measure}: {meter.limit:g} in {meter.seconds} s")
        self.meter = meter
        self.left = left
        self.amount = amount


class Counters:
    """Reads counters. What adds to them: the scripts `ticket_accept`, `queue_submit` and `queue_finish`."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def used(self, meters: Sequence[Meter]) -> list[tuple[float, float]]:
        """How much of each is used, and in how many seconds it begins anew."""
        async with self._redis.pipeline(transaction=True) as batch:
            for meter in meters:
                batch.get(meter.key(self._keys))
                batch.pttl(meter.key(self._keys))
            found = cast("list[bytes | int | None]", await batch.execute())
        return [(float(used or 0.0), max(int(left or 0), 0) / 1000) for used, left in zip(found[::2], found[1::2], strict=True)]


def charged(keys: Keys, charges: Sequence[Charge], *, forgiving: bool = False) -> list[str | int | float]:
    """What the scripts are told: how many meters, and of each its key, how far it may go, its milliseconds, and how much is used.

    Nothing goes too far where that is `forgiving`.
    """
    told: list[str | int | float] = [sum(len(charge.meters) for charge in charges)]
    for charge in charges:
        for meter in charge.meters:
            told += [meter.key(keys), 1e15 if forgiving else meter.limit, meter.seconds * 1000, charge.amount]
    return told


def exhausted(charges: Sequence[Charge], nth: int, left: int) -> Exhausted:
    """Which of them went too far, as a script tells it."""
    meters = [(meter, charge.amount) for charge in charges for meter in charge.meters]
    meter, amount = meters[nth - 1]
    return Exhausted(meter, max(left, 0) / 1000, amount)
