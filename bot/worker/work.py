"""One claimed job and one turn of them, as models see them: models call from their thread, Redis is spoken to in the loop's."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from math import inf
from typing import Any, Protocol, TypeVar

from bot.errors import JobCancelled, JobError, JobFailed, JobRefused, JobTimedOut, StoreError
from bot.jobs import Job, Partial, Result
from bot.messages import Blob
from bot.store.blobs import Blobs
from bot.store.shifts import Claim
from bot.worker.clocks import Clock
from bot.worker.meter import Meter

R = TypeVar("R")

PAUSE = 0.5
"""Seconds between tries while Redis is away."""


class Outbox(Protocol):
    """Takes what a model says."""

    def shown(self, work: Claimed) -> bool:
        """A newer partial is there, in the model's thread; True when the outbox has to be woken for it."""

    def wake(self) -> None:
        """In the loop's thread."""

    def ended(self, work: Claimed) -> None:
        """The result or the fault is there, in the loop's thread."""


class Claimed:
    """Implements `bot.models.Work`."""

    def __init__(self, claim: Claim, job: Job[Any], loop: asyncio.AbstractEventLoop, outbox: Outbox, blobs: Blobs) -> None:
        self.claim = claim
        self.clock = Clock(claim.timeout)
        self._fresh: dict[type[Partial], Partial] = {}
        self.end: Result | JobError | None = None
        self.cancelled = False
        self.heard = False
        """Whether a partial of it was sent."""
        self.due = 0.0
        """When the next one is, on the monotonic clock: before that nobody would see it."""
        self.unshown = False
        """Whether one could not be."""
        self.seconds = 0.0
        """What it has taken of the device."""
        self._late = False
        self._meter: Meter | None = None
        self._job = job
        self._loop = loop
        self._outbox = outbox
        self._blobs = blobs
        self._lock = threading.Lock()

    @property
    def job(self) -> Job[Any]:
        """The request."""
        return self._job

    def begin(self, meter: Meter) -> None:
        """It runs from now on, on the device that this meter counts for."""
        self._meter = meter
        meter.begin(self.claim.id)

    def pause(self) -> None:
        """It does not run any more."""
        if self._meter is not None:
            self.seconds += self._meter.end(self.claim.id)
            self._meter = None

    def emit(self, partial: Partial) -> None:
        """Shows the result as it stands; the newest of each kind is kept until it is sent, since a preview says what no progress does."""
        with self._lock:
            first = not self._fresh
            self._fresh.pop(type(partial), None)
            self._fresh[type(partial)] = partial
        if first and self._outbox.shown(self):
            self._loop.call_soon_threadsafe(self._outbox.wake)

    def take(self) -> Sequence[Partial]:
        """The newest partial of each kind that was not sent yet, in the order in which they were said."""
        with self._lock:
            fresh, self._fresh = self._fresh, {}
        return list(fresh.values())

    def finish(self, result: Result) -> None:
        """Hands in the result."""
        self._end(result)

    def fail(self, reason: str) -> None:
        """Gives this job up."""
        self._end(JobFailed(reason))

    def refuse(self, sentence: str) -> None:
        """Will not do this job."""
        self._end(JobRefused(sentence))

    def give_up(self) -> None:
        """Its time is used up: the model is to drop it, and what the model makes of that is not handed in."""
        self._late = self.cancelled = True

    def drop(self) -> None:
        """Ends a cancelled job without an answer, as models may."""
        self._end(JobCancelled("nobody waits for it"))

    def _end(self, end: Result | JobError) -> None:
        with self._lock:
            first = self.end is None
            late = JobTimedOut("it ran longer than its kind allows") if self._late else None
            self.end = self.end or late or end
        if first:
            self.pause()
            self._loop.call_soon_threadsafe(self._outbox.ended, self)

    def read(self, blob: Blob) -> bytes:
        """The bytes of a blob."""
        return self._patiently(lambda: self._blobs.get(blob))

    def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        """Stores bytes."""
        return self._patiently(lambda: self._blobs.put(content, mime, name))

    def _patiently(self, ask: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Asks in the loop's thread; again and again while Redis is away and somebody still waits."""
        while True:
            try:
                return asyncio.run_coroutine_threadsafe(ask(), self._loop).result()
            except StoreError:
                if self.cancelled:
                    raise
                time.sleep(PAUSE)


class Steward(Protocol):
    """Looks after a turn, in the loop's thread."""

    def room(self) -> None:
        """There is room in the turn that was not there before."""

    def loaded(self, seconds: float, waited: Sequence[Claimed]) -> None:
        """Loading the model took so long, for which these waited."""


class Turn:
    """Implements `bot.models.Batch`."""

    def __init__(
        self, works: Sequence[Claimed], loop: asyncio.AbstractEventLoop, steward: Steward, meter: Meter, *, apart: bool = False
    ) -> None:
        """`apart`: its jobs run side by side, so that a call of `join` says nothing of how far they are."""
        self.works = list(works)
        self.room = 0
        self.over = False
        self.begun = False
        self._refused = False
        self._lock = threading.Lock()
        self._arrived: deque[Claimed] = deque()
        self._loop = loop
        self._steward = steward
        self.meter = meter
        self._apart = apart

    def begin(self) -> bool:
        """The model takes what it was given; False when it must not any more."""
        with self._lock:
            self.begun = not self._refused
        for work in self.works if self.begun else ():
            work.begin(self.meter)
        return self.begun

    def refuse(self) -> bool:
        """Keeps the model from beginning; False when it has begun."""
        with self._lock:
            self._refused = not self.begun
        return self._refused

    def loaded(self, seconds: float) -> None:
        """Loading the model took so long, and those who are here waited for it."""
        self._loop.call_soon_threadsafe(self._steward.loaded, seconds, list(self.works))

    def __iter__(self) -> Iterator[Claimed]:
        """The jobs that the model was given; those that have ended are let go as others join."""
        return iter(list(self.works))

    def patience(self) -> float:
        """Seconds until the first job has used up its time; for ever, where nobody waits."""
        with self._lock:
            return min((work.clock.left for work in self._left() if not work.cancelled), default=inf)

    def left(self) -> list[Claimed]:
        """Those of them that have not ended."""
        with self._lock:
            return self._left()

    def _left(self) -> list[Claimed]:
        return [work for work in self.works if work.end is None]

    def join(self, free: int) -> Sequence[Claimed]:
        """Jobs that arrived meanwhile; from now on they are the model's. It is between two steps: what nobody waits for ends here."""
        if not self._apart:
            for work in [work for work in self.works if work.cancelled]:
                work.drop()
        with self._lock:  # in between, who cancels would not find them
            joining = self._next(free)
            self.works = [*self._left(), *joining]  # a turn may last for days
        for work in joining:
            work.begin(self.meter)
        room, self.room = self.room, free - len(joining)
        if self.room > room:
            self._loop.call_soon_threadsafe(self._steward.room)
        return joining

    def add(self, work: Claimed) -> None:
        """One more job, from the loop's thread."""
        self._arrived.append(work)

    @property
    def waiting(self) -> int:
        """How many jobs the model was not given yet."""
        return len(self._arrived)

    def withdraw(self) -> list[Claimed]:
        """Takes out the jobs that the model was not given yet."""
        return self._next(len(self._arrived))

    def _next(self, most: int) -> list[Claimed]:
        """The model's thread and the loop's may both take; none gets what the other has."""
        taken: list[Claimed] = []
        with suppress(IndexError):
            while len(taken) < most:
                taken.append(self._arrived.popleft())
        return taken

    def cancel(self, id: str) -> None:
        """Nobody waits for this job any more."""
        with self._lock:
            for work in (*self.works, *self._arrived):
                work.cancelled = work.cancelled or work.claim.id == id
