"""A turn that runs: others join it while there is room, until another model is due. Claiming and running it: `loop.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import structlog

from bot.errors import StoreError
from bot.models import Model
from bot.worker.clocks import LOOK, SELDOM
from bot.worker.meter import Meter
from bot.worker.work import Claimed, Turn

log = structlog.get_logger(__name__)


class Host(Protocol):
    """What a turn asks of its worker."""

    async def admit(self, opened: Open, room: int) -> bool:
        """Claims more jobs for the turn; True when another model is due."""

    async def charge(self, opened: Open, seconds: float, waited: Sequence[Claimed]) -> None:
        """The model was loaded for the turn, for which these waited."""


class Open:
    """Implements `bot.worker.work.Steward`. A turn of jobs that must run alone admits nobody."""

    def __init__(self, model: Model[Any, Any], works: Sequence[Claimed], meter: Meter, host: Host, drain: float) -> None:
        """`drain` in seconds is what running jobs get to end in once another model is due; then they are parked, where the model can."""
        self.model = model
        self.batch = works[0].claim.batch
        self.turn = Turn(works, asyncio.get_running_loop(), self, meter, apart=bool(model.concurrency))
        self._host = host
        self._drain = drain
        self._more = asyncio.Event()
        self._ended = False
        self._closing: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching = self._begin(self._watch())
        if not any(work.claim.alone for work in works):
            self._begin(self._admit())

    def _begin(self, what: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def room(self) -> None:
        """Somebody may join now."""
        self._more.set()

    def loaded(self, seconds: float, waited: Sequence[Claimed]) -> None:
        """The model was loaded."""
        self._begin(self._host.charge(self, seconds, waited))

    def close(self) -> None:
        """Nobody joins any more; what still runs after a while is parked."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().call_later(self._drain, setattr, self.turn, "over", True)

    async def _watch(self) -> None:
        """Gives up whose time is used up, while there is some left for that."""
        while True:
            await asyncio.sleep(max(LOOK, min(SELDOM, self.turn.patience())))
            for work in [work for work in self.turn.left() if work.clock.left < 0 and not work.cancelled]:
                log.warning(
                    "a job has used up its time, and its model is told to drop it: is the model, or the server behind it, stuck or slow?",
                    **{"model": self.model.name, "job": work.claim.id, "ref": work.claim.ref, "seconds": work.claim.timeout},
                )
                work.give_up()

    async def _admit(self) -> None:
        while not self._ended:
            await self._more.wait()
            self._more.clear()
            free = self.turn.room - self.turn.waiting
            if self._closing is None and not self._ended and free > 0:
                with suppress(StoreError):  # the next order, or the next look, tries again
                    if await self._host.admit(self, free):
                        self.close()

    async def end(self) -> None:
        """Returns when nothing more is claimed for it; a claim that is under way is never cut off, what it claims would be lost."""
        self._ended = True
        self._more.set()
        self._watching.cancel()
        if self._closing is not None:
            self._closing.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
