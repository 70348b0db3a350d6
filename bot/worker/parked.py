"""What models have begun and go on with in a later turn: kept, its time stopped, given on, cancelled. When it goes on: the queue says."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.store.shifts import Shift
from bot.worker.work import Claimed


@dataclass(slots=True)
class Parked:
    """The jobs of one model; `since` in seconds since 1970, `told` once the queue knows."""

    works: list[Claimed]
    since: float
    told: bool = False

    def room(self, most: int) -> int:
        """How many may run beside it, of at most so many."""
        return 0 if any(work.claim.alone for work in self.works) else most - len(self.works)


class ParkedJobs:
    """By model. Whoever has taken jobs out has them alone."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._of: dict[str, Parked] = {}

    @property
    def models(self) -> Collection[str]:
        """Those that have begun something."""
        return self._of

    def of(self, model: str) -> Parked | None:
        """What this one has begun."""
        return self._of.get(model)

    def put(self, model: str, works: Sequence[Claimed]) -> None:
        """It goes on with these later."""
        if works:
            self._of[model] = Parked(list(works), time.time())

    def take(self, model: str) -> list[Claimed]:
        """What it goes on with now."""
        parked = self._of.pop(model, None)
        return parked.works if parked else []

    def clear(self) -> list[Claimed]:
        """Takes out everything."""
        return [work for model in list(self._of) for work in self.take(model)]

    async def stop_clocks(self) -> None:
        """What is parked does not use up its time; where Redis is away, this is said when it is back. Raises StoreError."""
        for parked in [each for each in self._of.values() if not each.told]:
            await self._shift.park([work.claim for work in parked.works])
            for work in parked.works:
                work.clock.stop()
            parked.told = True

    async def resume(self, model: str) -> None:
        """Its time goes on. Raises StoreError."""
        if parked := self._of.get(model):
            await self._shift.resume([work.claim for work in parked.works])
            for work in parked.works:
                work.clock.go_on()

    def cancel(self, id: str) -> None:
        """Nobody waits for this job any more."""
        for model, parked in list(self._of.items()):
            for work in [work for work in parked.works if work.claim.id == id]:
                work.cancelled = True
                work.drop()
                parked.works.remove(work)
            if not parked.works:
                del self._of[model]
