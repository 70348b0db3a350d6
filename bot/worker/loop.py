"""A worker's day: claim a turn, run it, let others join, hear what is cancelled, end in order. Who comes next: the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog
from pydantic import ValidationError

from bot.errors import StoreError
from bot.models import Model
from bot.store.blobs import Blobs
from bot.store.shifts import Claim, Shift
from bot.worker.device import Device
from bot.worker.sending import Sender
from bot.worker.work import Claimed, Turn

WAIT = 5.0
"""Seconds of one blocking wait."""

LONGEST_TURN = 20.0
"""Seconds after which nobody joins a turn any more while another model has work."""

MOMENT = 0.2
"""Seconds that a thread with nothing to do takes at most to notice that it may end."""

DRAIN = 3.0
"""Seconds that a turn gets to end at a stop; what has not ended is handed back."""

log = structlog.get_logger(__name__)


def wants(model: Model[Any, Any]) -> list[str]:
    """What the model serves, as the queue names it."""
    return [model.job.kind, f"{model.job.kind}:{model.name}"]


class Loop:
    """Runs turns until it is told to stop. The model has a thread of its own; everything else is in the loop's."""

    def __init__(
        self, models: Sequence[Model[Any, Any]], shift: Shift, blobs: Blobs, device: Device, claimed: Callable[[], None] = lambda: None
    ) -> None:
        """`claimed` is called before a model begins with new jobs: from then on it may keep this thread from running."""
        self._models = list(models)
        self._shift = shift
        self._claimed = claimed
        self._blobs = blobs
        self._device = device
        self._sender = Sender(shift)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._stop = asyncio.Event()
        self._turn: Turn | None = None
        self._more = asyncio.Event()

    def stop(self) -> None:
        """Ends the day: the running turn gets a moment, the rest is handed back."""
        self._stop.set()

    async def run(self) -> None:
        """Until `stop`. While Redis is away, it tries again each second."""
        hearing = asyncio.create_task(self._hear())
        away = False
        while not self._stop.is_set():
            try:
                await self._once()
                away = False
            except StoreError as error:
                if not away:
                    log.error("redis is away", fault=str(error))
                away = True
                await self._unless_stopped(asyncio.sleep(1.0))
        hearing.cancel()
        await asyncio.wait((hearing,))

    async def _once(self) -> None:
        for model in list(self._models):
            claims = await self._shift.claim(wants(model), model.max_batch)
            if claims:
                self._claimed()
                self._models.append(self._models.pop(self._models.index(model)))  # the others come first next time
                await self._serve(model, claims)
                return
        everything = dict.fromkeys(want for model in self._models for want in wants(model))
        if everything:
            await self._unless_stopped(self._shift.wait(list(everything), WAIT))
        else:
            await self._stop.wait()

    async def _unless_stopped(self, what: Any) -> None:
        task, stop = asyncio.ensure_future(what), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()
            stop.cancel()

    async def _serve(self, model: Model[Any, Any], claims: Sequence[Claim]) -> None:
        self._more.clear()
        self._turn = turn = Turn(self._works(model, claims), asyncio.get_running_loop(), self._more.set)
        open_, batch = not any(claim.alone for claim in claims), claims[0].batch
        joining = asyncio.create_task(self._join(model, turn, batch)) if open_ else None
        try:
            await self._run(model, turn)
        finally:
            self._turn = None
            self._more.set()
            if joining is not None:
                await joining  # never cut off: what it has just claimed would be lost
        await self._shift.hand_back([work.claim for work in turn.untaken()])
        if not self._stop.is_set():
            await self._sender.empty()

    async def _run(self, model: Model[Any, Any], turn: Turn) -> None:
        running = asyncio.get_running_loop().run_in_executor(self._thread, self._device.run, model, turn)
        await self._unless_stopped(asyncio.shield(running))
        if not running.done():
            await asyncio.wait((running,), timeout=DRAIN)
        if not running.done():
            left = [work for work in turn if work.end is None]
            await self._shift.hand_back([work.claim for work in left])
            for work in left:
                work.cancelled = True

    def _works(self, model: Model[Any, Any], claims: Sequence[Claim]) -> list[Claimed]:
        return [work for claim in claims if (work := self._work(model, claim)) is not None]

    def _work(self, model: Model[Any, Any], claim: Claim) -> Claimed | None:
        loop = asyncio.get_running_loop()
        try:
            return Claimed(claim, model.job.model_validate(claim.body["job"]), loop, self._sender, self._blobs)
        except ValidationError as error:  # written by another version
            work = Claimed(claim, model.job.model_construct(), loop, self._sender, self._blobs)
            work.fail(f"this worker does not understand the job: {error}")
            return None

    async def _hear(self) -> None:
        """Cancelled jobs stop at their next step; new ones are worth a look, as is now and then whatever was missed."""
        while True:
            try:
                order = await self._shift.orders(WAIT)
            except StoreError:
                await asyncio.sleep(1.0)
                continue
            if order and self._turn is not None:
                self._turn.cancel(order)
            if not order:
                self._more.set()

    async def _join(self, model: Model[Any, Any], turn: Turn, batch: str) -> None:
        """Claims for the open turn whatever it has room for, until it has ended."""
        closing = asyncio.get_running_loop().time() + LONGEST_TURN
        while True:
            await self._more.wait()
            self._more.clear()
            if self._turn is not turn:
                return
            due = asyncio.get_running_loop().time() > closing
            with suppress(StoreError):  # the next order, or the next look, tries again
                if turn.room > 0 and not self._stop.is_set() and not (due and await self._others_wait(model)):
                    await self._admit(model, turn, batch, due)

    async def _admit(self, model: Model[Any, Any], turn: Turn, batch: str, due: bool) -> None:
        claims = await self._shift.claim(wants(model), turn.room - len(turn.untaken()), batch, due=due)
        if claims:
            self._claimed()
        for work in self._works(model, claims):
            turn.add(work)

    async def _others_wait(self, model: Model[Any, Any]) -> bool:
        others = {want for other in self._models if other is not model for want in wants(other)} - set(wants(model))
        return await self._shift.in_line(sorted(others))

    async def close(self) -> bool:
        """Sends what is left; False when the model's thread does not end and the process must be ended around it."""
        with suppress(TimeoutError):  # where Redis is away, the jobs go to whoever is there when it is back
            await asyncio.wait_for(self._sender.empty(), DRAIN)
        self._thread.shutdown(wait=False, cancel_futures=True)
        for thread in self._thread._threads:
            thread.join(MOMENT)
        return not any(thread.is_alive() for thread in self._thread._threads)
