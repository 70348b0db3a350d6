"""What one run of a handler may take: time of its own, acts, and no tasks that outlive it. Who blocks the whole router: `watchdog.py`."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import Context, ContextVar
from typing import Any, cast

import structlog

from bot.acts import Acts

OWN = 60.0
"""Seconds that a handler may take beside what it waits for through ctx."""

MOST = {"post": 100, "forward": 100, "schedule": 1000}
"""How often a run may do what others have to read, or the store has to keep."""

GRACE = 2.0
"""Seconds in which tasks that were left behind end once they are told to."""

log = structlog.get_logger(__name__)


class Flooded(Exception):  # noqa: N818  what a handler did, not what went wrong here
    """A handler did something far too often."""


class Allowance:
    """Stands around one run: `async with` raises TimeoutError in it when its own `seconds` are over, and ends the tasks that it leaves."""

    def __init__(self, plugin: str, seconds: float = OWN) -> None:
        self.used = 0.0
        self._plugin = plugin
        self._seconds = seconds
        self._limit = asyncio.timeout(seconds)
        self._loop = asyncio.get_running_loop()
        self._inside = 0
        self._since = 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Allowance:
        await self._limit.__aenter__()
        self._since = time.monotonic()
        _running.set(self)
        return self

    async def __aexit__(self, *fault: Any) -> None:
        _running.set(None)
        self.used += 0.0 if self._inside else time.monotonic() - self._since
        try:
            await self._limit.__aexit__(*fault)
        finally:
            await self._end()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Time in here is not the handler's, and tasks are not its own."""
        outer = _running.get()
        _running.set(None)
        if self._inside == 0:
            self.used += time.monotonic() - self._since
            self._reschedule(None)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            if self._inside == 0:
                self._since = time.monotonic()
                self._reschedule(self._loop.time() + max(self._seconds - self.used, 0.0))
            _running.set(outer)

    def _reschedule(self, at: float | None) -> None:
        with suppress(RuntimeError):  # it is over already
            self._limit.reschedule(at)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """The handler has begun it."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        left = {task for task in self._tasks if not task.done()}  # what has just ended is noted in the loop's next round
        if not left:
            return
        log.warning("a handler left tasks behind, which are ended", plugin=self._plugin, tasks=sorted(task.get_name() for task in left))
        for task in left:
            task.cancel()
        _, stubborn = await asyncio.wait(left, timeout=GRACE)
        if stubborn:
            log.error("tasks of a handler do not end", plugin=self._plugin, tasks=sorted(task.get_name() for task in stubborn))


_running: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


def adopting(loop: asyncio.AbstractEventLoop) -> None:
    """From now on the loop's tasks belong to the handler that begins them. Those with a context of their own serve several, so to none."""

    def make(loop: asyncio.AbstractEventLoop, work: Any, **facts: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **facts)
        apart: Context | None = facts.get("context")
        if (owner := _running.get() if apart is None else apart.get(_running)) is not None:
            owner.adopt(task)
        return task

    loop.set_task_factory(make)


def allowed(acts: Acts, allowance: Allowance) -> Acts:
    """The same acts, whose time is not the handler's, and of which it has only so many."""
    return cast("Acts", _Allowed(acts, allowance))


class _Allowed:
    def __init__(self, acts: Acts, allowance: Allowance) -> None:
        self._acts = acts
        self._allowance = allowance
        self._done: defaultdict[str, int] = defaultdict(int)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._acts, name)
        return self._waited_for(name, found) if inspect.iscoroutinefunction(found) else found

    def _waited_for(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(act)
        async def done(*given: Any, **named: Any) -> Any:
            self._done[name] += 1
            if self._done[name] > MOST.get(name, self._done[name]):
                raise Flooded(f"expected at most {MOST[name]} calls of {name!r} in one run")
            with self._allowance.waiting():
                return await act(*given, **named)

        return done

    @asynccontextmanager
    async def clips(self, *given: Any) -> AsyncIterator[Any]:
        """Decoding a recording takes its time."""
        with self._allowance.waiting():
            async with self._acts.clips(*given) as clips:
                yield clips
