"""Sends to the queue what models say: the newest partials at a steady pace, results until the store takes them. Said through `work.py`."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import structlog

from bot.errors import JobCancelled, JobError, JobFailed, JobRefused, StoreError
from bot.jobs import Result
from bot.store.shifts import Shift
from bot.worker.work import Claimed

PACE = 0.15
"""Seconds between two partials of one job: no chat is edited more often, and many are less, as their routers say."""

MOST = 50
"""Partials a second of all jobs together: of 16 answers each three times a second. What more cost would be taken from the model."""

PAUSE = 0.5
"""Seconds between tries while Redis is away."""

WHILE = 60.0
"""Seconds in which one warning says that what models show cannot be sent."""

log = structlog.get_logger(__name__)


class Sender:
    """Implements `bot.worker.work.Outbox` over the queue."""

    def __init__(self, shift: Shift, *, pace: float = PACE) -> None:
        self._shift = shift
        self._pace = pace
        self._quiet: dict[str, float] = {}
        """Until when a warning is not said again, on the monotonic clock."""
        self._fresh: deque[Claimed] = deque()
        self._resting = True
        """Nobody is going to look at what is fresh before `wake`."""
        self._hurry = asyncio.Event()
        self._flushing: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def shown(self, work: Claimed) -> bool:
        """It is sent soon, or a newer one; the first of a job at once. Of sixteen answers that go on the loop is told by none: it looks."""
        self._fresh.append(work)
        return self._resting or not work.heard

    def wake(self) -> None:
        """Sends what is fresh at once."""
        self._hurry.set()
        if self._resting:
            self._resting = False
            self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        while not self._resting:
            self._hurry.clear()
            works = await self._round()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(self._pace, works / MOST)):  # `wait_for` begins a task, and waits for its end
                    await self._hurry.wait()
            self._resting = True  # first: the model's thread adds, and looks at this after that
            self._resting = not self._fresh

    async def _round(self) -> int:
        """Sends what is due, of so many jobs. A fault of ours costs that alone: the next partials hold all that these do."""
        try:
            works = self._due()
            await self._show(works)
        except Exception as error:
            self._warn("what models show of their answers was lost for a moment: please report this", exc_info=error)
            return 0
        return len(works)

    def _due(self) -> list[Claimed]:
        """Those whose partials somebody would see; the others stay fresh until they end."""
        fresh, now = [self._fresh.popleft() for _ in range(len(self._fresh))], time.monotonic()
        self._fresh.extend(work for work in fresh if work.due > now and work.end is None)
        due = [work for work in fresh if work.due <= now]
        for work in due:
            work.due = now + work.claim.pace - self._pace  # rather a little too early, and then it waits in its router
        return due

    async def _show(self, works: Iterable[Claimed]) -> None:
        said = [(work, partial) for work in works for partial in self._untold(work)]
        if not said:
            return
        try:
            ours = await self._shift.emit_all([(work.claim, partial) for work, partial in said])
        except Exception as error:  # the next partials hold all that these do
            self._unshown(said[0][0], "answers are not shown as they grow, only their ends will be: look after Redis", str(error))
            return
        for (work, _), mine in zip(said, ours, strict=True):
            work.cancelled = work.cancelled or not mine

    def _untold(self, work: Claimed) -> Iterator[str]:
        """Its newest partials as they travel."""
        for partial in work.take():
            if work.end is not None:
                return
            work.heard = True
            try:
                yield partial.model_dump_json()
            except Exception as error:  # what a plugin put into it may not be for the wire
                what = "what a model shows of an answer cannot be sent, only its end will be: tell the plugin's author"
                self._unshown(work, what, ascii(error))

    def _unshown(self, work: Claimed, what: str, fault: str) -> None:
        """A warning for the first of a job, and in a while for one job: an answer has hundreds."""
        first, work.unshown = not work.unshown, True
        said = self._warn if first else log.debug
        said(what, kind=work.job.kind, job=work.claim.id, ref=work.claim.ref, fault=fault)

    def _warn(self, what: str, **about: Any) -> None:
        """Each at most once in a while; for those who debug, always."""
        said, now = log.debug, time.monotonic()
        if now >= self._quiet.get(what, 0.0):
            said, self._quiet[what] = log.warning, now + WHILE
        said(what, **about)

    def ended(self, work: Claimed) -> None:
        """Sends the end, however long it takes."""
        task = asyncio.create_task(self._end(work))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, work: Claimed) -> None:
        try:
            await self._patiently(work)
        except Exception as error:  # results are the plugins': one that the wire does not take must not keep its job for ever
            log.error("what a model handed in cannot be sent", job=work.claim.id, ref=work.claim.ref, fault=ascii(error))
            work.end = JobFailed("the model handed in what cannot be sent")
            await self._patiently(work)

    async def _patiently(self, work: Claimed) -> None:
        while True:
            try:
                if not await self._send(work):
                    log.info("a job was somebody else's by the time it ended", job=work.claim.id, ref=work.claim.ref)
                return
            except StoreError as error:
                log.warning("a result waits for Redis", job=work.claim.id, ref=work.claim.ref, fault=str(error))
                await asyncio.sleep(PAUSE)

    async def _send(self, work: Claimed) -> bool:
        match work.end:
            case JobCancelled() as error:
                log.info("a job was cancelled", job=work.claim.id, ref=work.claim.ref)
                await self._shift.fail(work.claim, error, work.seconds)  # no news to the store, but the lease is let go
                return True
            case JobRefused() as error:
                log.info("a model refused a job", job=work.claim.id, ref=work.claim.ref)
                return await self._shift.fail(work.claim, error, work.seconds)
            case JobError() as error:
                log.error("a job failed", job=work.claim.id, ref=work.claim.ref, fault=str(error))
                return await self._shift.fail(work.claim, error, work.seconds)
            case Result() as result:
                return await self._shift.finish(work.claim, result.model_dump_json(), work.seconds)
            case _:
                raise AssertionError("sent before its end")

    async def empty(self) -> None:
        """Returns when everything is sent."""
        while self._ending:
            await asyncio.wait(self._ending)
