"""A thread that sees when a plugin blocks the loop, so that nobody else gets a turn. What a handler may take: `allowance.py`."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import FrameType

import structlog

from bot.exits import BLOCKED
from bot.plugins import Loaded
from bot.translation import Phrase, later

NAMED, ENDED = 0.7, 5.0
"""Seconds without a turn after which the plugin is named, and after which the router is ended, to go on without it."""

LOOK, CALM = 0.05, 0.25
"""Seconds between two looks at a loop that gave no sign, and between two looks while it gives the sign that each asks for: a look takes the
processor from whatever computes, 120 µs."""

MOST_STEP = 0.3
"""Seconds that count at most between two looks: a process that was halted was not blocked."""

BLOCKS = later("{plugin} is left out, because it blocked everybody for {n} seconds.")

log = structlog.get_logger(__name__)


class Watchdog:
    """Looks at the loop's thread. `bench` notes the plugin for the next router, and what was said of it; then the process ends."""

    def __init__(self, plugins: Mapping[str, Loaded], bench: Callable[[Loaded, Phrase], None]) -> None:
        self._packages = {type(one.plugin).__module__.rpartition(".")[0]: one for one in plugins.values()}
        self._bench = bench
        self._signed = False
        self._blocker: Loaded | None = None
        self._stalled = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches the running loop meanwhile."""
        stop, loop = threading.Event(), asyncio.get_running_loop()
        ask = partial(loop.call_soon_threadsafe, self._sign)
        thread = threading.Thread(target=self._watch, args=(threading.get_ident(), ask, stop), name="watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _sign(self) -> None:
        self._signed = True

    def _watch(self, watched: int, ask: Callable[[], object], stop: threading.Event) -> None:
        before, pause = time.monotonic(), CALM
        ask()
        while not stop.wait(pause):
            now = time.monotonic()
            step, before, pause = min(now - before, MOST_STEP), now, LOOK
            if self._signed:
                self._signed, self._stalled, self._blocker, pause = False, 0.0, None, CALM
                ask()
                continue
            self._look(sys._current_frames().get(watched), step)

    def _look(self, frame: FrameType | None, step: float) -> None:
        """One and the same plugin must be in the way at every look."""
        blocker = self._of(frame)
        self._stalled = self._stalled + step if blocker is not None and blocker is self._blocker else 0.0
        named, self._blocker = self._stalled - step < NAMED <= self._stalled, blocker
        if blocker is None:
            return
        if named:
            stack = "".join(traceback.format_stack(frame)[-6:])
            log.error("a plugin blocks everybody: it must not wait without `await`", plugin=blocker.name, seconds=NAMED, stack=stack)
        if self._stalled >= ENDED:
            self._end(blocker)

    def _end(self, blocker: Loaded) -> None:
        log.critical("a plugin blocked everybody for too long: the router goes on without it", plugin=blocker.name, seconds=ENDED)
        try:
            self._bench(blocker, Phrase(BLOCKS, {"plugin": blocker.name, "n": f"{ENDED:.0f}"}))
        finally:
            os._exit(BLOCKED)  # the loop cannot be asked to end

    def _of(self, frame: FrameType | None) -> Loaded | None:
        while frame is not None:
            name = str(frame.f_globals.get("__name__", ""))
            for package, loaded in self._packages.items():
                if name == package or name.startswith(f"{package}."):
                    return loaded
            frame = frame.f_back
        return None
