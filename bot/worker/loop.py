"""A worker's day: claim a turn, run it, hear what is cancelled, end in order. Joining a turn: `turns.py`; who comes next: the queue."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ParamSpec

import structlog
from pydantic import ValidationError

from bot.errors import StoreError
from bot.models import Model
from bot.store.blobs import Blobs
from bot.store.shifts import ANY, Begun, Claim, Offer, Shift
from bot.worker import attempts
from bot.worker.device import Device
from bot.worker.diagnosis import DeviceLost
from bot.worker.hearing import WAIT, Orders
from bot.worker.meter import Meter
from bot.worker.offers import offer
from bot.worker.parked import ParkedJobs
from bot.worker.sending import Sender
from bot.worker.thread import MOMENT, ModelThread
from bot.worker.turns import Open
from bot.worker.work import Claimed, Turn

SENDING = 3.0
"""Seconds that results which are ready get to reach Redis at a stop."""

YIELD = 4.0
"""Seconds that a running turn gets to end in when the operator wants the device, and that freeing the memory may take then."""

P = ParamSpec("P")

log = structlog.get_logger(__name__)


class Loop:
    """Runs turns until it is told to stop. The model has a thread of its own; everything else is in the loop's."""

    def __init__(
        self,
        models: Sequence[Model[Any, Any]],
        shift: Shift,
        blobs: Blobs,
        device: Device,
        *,
        claimed: Callable[[], None] = lambda: None,
        max_drain: float = 10.0,
        drain: float = 5.0,
        idle_unload: float = 0.0,
    ) -> None:
        """`claimed` is called before a model begins with new jobs: from then on it may keep this thread from running.

        `max_drain` in seconds is what a turn gets to end in once another model is due, `drain` once it is told to stop; a model that
        nobody has used for `idle_unload` seconds leaves the memory, 0 for never.
        """
        self.lost = False
        """The device can be used no more by this process. What was running is still in its name, and runs again alone once it is gone."""
        self._max_drain = max_drain
        self._drain = drain
        self._idle_unload = idle_unload
        self._models = {model.name: model for model in models}
        self._cold = deque(models)
        """Models that were not loaded yet, to be in the memory before somebody needs them; the first of them first."""
        self._shift = shift
        self._claimed = claimed
        self._blobs = blobs
        self._device = device
        self._sender = Sender(shift)
        self._meter = Meter()
        self._stop = asyncio.Event()
        self._orders = Orders(shift, self._cancel, lambda: self._open.room() if self._open else None)
        self._thread = ModelThread(self._orders.called.set)
        self._open: Open | None = None
        self._parked = ParkedJobs(shift)

    def stop(self) -> None:
        """Ends the day: the running turn gets a while, everything else is handed back at once."""
        self._stop.set()
        if self._open is not None:
            self._open.close()

    async def run(self) -> None:
        """Until `stop`, or until the device is `lost`. While Redis is away, it tries again each second."""
        hearing = asyncio.create_task(self._orders.hear())
        try:
            await self._for_now(self._device.reclaim, list(self._models.values()))
            await self._turns()
        except DeviceLost as lost:
            self.lost = True
            log.error("the device is lost: this worker ends, what ran is run again alone", fault=str(lost))
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await self._hand_back(self._unbegun())

    async def _turns(self) -> None:
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

    async def _for_now(self, what: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Has the model's thread do this, and waits for it unless it is stopped or paused; it goes on then."""
        await self._unless_stopped(asyncio.shield(self._thread.begin(what, *args, **kwargs)), self._orders.paused)

    def _unbegun(self) -> list[Claimed]:
        """Takes out whatever no model has in hand: what is parked, and what the open turn was not given yet."""
        return [*self._parked.clear(), *(self._open.turn.withdraw() if self._open else ())]

    async def _hand_back(self, works: Sequence[Claimed]) -> None:
        with suppress(StoreError):  # where Redis is away, their leases lapse
            await self._shift.hand_back([work.claim for work in works])

    async def _once(self) -> None:
        if not self._models:
            await self._stop.wait()
            return
        if self._idle_unload and (idle := self._device.idle(self._idle_unload, self._parked.models)):
            await self._thread.begin(self._device.free, idle)
        await self._parked.stop_clocks()
        self._orders.called.clear()
        self._thread.check()
        if self._orders.paused.is_set():
            await self._orders.look()  # a pause that ends by itself calls nobody
        await self._grant()
        begun = await self._shift.claim(self.offers())
        if self._stop.is_set():  # meanwhile
            await self._shift.hand_back(begun.claims)
        elif begun.model:
            await self._serve(self._models[begun.model], begun)
        elif begun.off:
            await self._rest()
        elif self._cold and not self._orders.paused.is_set():  # only then: whoever waits at the start waits for no other model
            await self._for_now(self._device.warm, self._cold.popleft())
        else:
            patience = min(WAIT, self._idle_unload or WAIT)
            if self._device.untidy(patience):
                await self._thread.begin(self._device.tidy)
            await self._unless_stopped(self._shift.wait(self._shift.wants, patience), self._orders.called)

    async def _grant(self) -> None:
        """Loads and unloads what the operator wishes, but for what a model has begun and goes on with; then tells what is in memory.

        What is wished in a pause is done after it.
        """
        while self._orders.wishes and not self._stop.is_set() and not self._orders.paused.is_set():
            name, loaded = self._orders.wishes.popleft()
            if name in self._models and name not in self._parked.models:
                with suppress(ValueError):  # from now on it is in memory, or not, as it was wished
                    self._cold.remove(self._models[name])
                await self._for_now(self._device.wish, self._models[name], loaded)
        await self._shift.holds(self._device.resident)

    async def _rest(self) -> None:
        """Off duty: in a pause the memory is free for others. Until called, or until it is over."""
        leave = await self._shift.leave()
        if leave is not None and leave.off == "pause":
            await self._hand_back(self._unbegun())
            await self._let_go()
        left = WAIT if leave is None else max(MOMENT, leave.until - time.time())
        with suppress(TimeoutError):
            await self._unless_stopped(asyncio.wait_for(self._orders.called.wait(), min(left, WAIT)))

    async def _let_go(self) -> None:
        """Raises DeviceLost when a model goes on all the same: then the memory is free with the end of this process."""
        freeing = self._thread.begin(self._device.free)
        await asyncio.wait((freeing,), timeout=YIELD)
        if not freeing.done():
            raise DeviceLost(f"a model did not let go of it within {2 * YIELD:.0f} s of a pause")
        await self._shift.holds({})

    def offers(self, joined: str = "", room: int = 0) -> list[Offer]:
        """What could run now; of the model whose turn is `joined`, so many more jobs."""
        return [
            offer(model, most=room if name == joined else None, resident=self._device.has(model), parked=self._parked.of(name))
            for name, model in self._models.items()
        ]

    async def _unless_stopped(self, what: Any, *other: asyncio.Event) -> None:
        task = asyncio.ensure_future(what)
        ends = [asyncio.ensure_future(event.wait()) for event in (self._stop, *other)]
        try:
            await asyncio.wait((task, *ends), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            for one in (task, *ends):
                one.cancel()

    async def _serve(self, model: Model[Any, Any], begun: Begun) -> None:
        self._claimed()
        if not (works := await self._taken(model, begun.claims)):
            return
        self._open = opened = Open(model, works, self._meter, self, self._max_drain)
        try:
            parked = await self._run(model, opened.turn)
            self._parked.put(model.name, parked)  # before the turn is let go: whoever cancels finds them at every moment
        finally:
            self._open = None
            await opened.end()
            await self._hand_back(opened.turn.withdraw())
        await self._parked.stop_clocks()
        await self._unless_stopped(self._sender.empty())

    async def _taken(self, model: Model[Any, Any], claims: Sequence[Claim]) -> list[Claimed]:
        """The jobs of a turn that begins: what the model goes on with, and what came; that is given up where Redis is away by now."""
        try:
            if self._orders.paused.is_set():
                await self._orders.look()  # it may have ended between the look and the claim
            await self._parked.resume(model.name)
        except StoreError:
            with suppress(StoreError):
                await self._shift.hand_back(claims)
            raise
        came = await self._works(model, claims)
        return [*self._parked.take(model.name), *came]  # last: nothing is waited for until the turn has them

    async def _run(self, model: Model[Any, Any], turn: Turn) -> list[Claimed]:
        """The jobs that the model parked."""
        running = self._thread.begin(attempts.run, self._device, model, turn)
        await self._unless_stopped(asyncio.shield(running), self._orders.paused)
        refused = False
        if not running.done():
            await self._hand_back(self._unbegun())
            turn.over = turn.over or self._orders.paused.is_set()
            refused = turn.refuse()  # what has not begun is not waited for: a load cannot be interrupted, nor used
            if not refused:
                await asyncio.wait((running,), timeout=YIELD if self._orders.paused.is_set() else self._drain)
        if running.done() and not refused:
            return running.result()
        left = turn.left()
        await self._hand_back(left)
        for work in left:
            work.cancelled = True
        return []

    async def admit(self, opened: Open, room: int) -> bool:
        """Claims for an open turn whatever it has room for; True when another model is due."""
        batch = ANY if opened.model.concurrency else opened.batch
        begun = await self._shift.claim(self.offers(opened.model.name, room), joined=opened.model.name, batch=batch)
        if self._stop.is_set():  # meanwhile
            await self._shift.hand_back(begun.claims)
            return True
        if begun.off:
            await self._orders.attend()
        if begun.claims:
            self._claimed()
        for work in await self._works(opened.model, begun.claims):
            opened.turn.add(work)
        return begun.closing

    async def charge(self, opened: Open, seconds: float, waited: Sequence[Claimed]) -> None:
        """Has everybody pay for the load who waited for it."""
        with suppress(StoreError):  # a load that nobody paid for harms nobody
            await self._shift.loaded(offer(opened.model), seconds, [work.claim for work in waited])
            await self._shift.holds(self._device.resident)

    async def _works(self, model: Model[Any, Any], claims: Sequence[Claim]) -> list[Claimed]:
        """What a router of another release wrote, and this one does not understand, is left to others."""
        loop, works = asyncio.get_running_loop(), []
        for claim in claims:
            try:
                works.append(Claimed(claim, model.job.model_validate(claim.body["job"]), loop, self._sender, self._blobs))
            except ValidationError as error:
                fields = [str(fault["loc"]) for fault in error.errors()]
                log.warning("a job is left to workers of another release", job=claim.id, fields=fields)
                with suppress(StoreError):  # its lease lapses then
                    await self._shift.refuse(claim, model.name)
        for work in works:
            work.cancelled = work.claim.id in self._orders.cancelled
        return works

    def _cancel(self, id: str) -> None:
        if self._open is not None:
            self._open.turn.cancel(id)
        self._parked.cancel(id)

    async def close(self) -> bool:
        """Sends what is left; False when the model's thread does not end and the process must be ended around it."""
        with suppress(TimeoutError):  # where Redis is away, the jobs go to whoever is there when it is back
            await asyncio.wait_for(self._sender.empty(), SENDING)
        if (elsewhere := self._device.elsewhere()) and not self.lost:
            with suppress(TimeoutError):  # the thread is deep in a computation
                await asyncio.wait_for(self._thread.begin(self._device.free, elsewhere), SENDING)
        return self._thread.end()
