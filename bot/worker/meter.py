"""Splits the device's time among the jobs that are active in it, each second in equal parts. Who pays for it: `lua/queue_policy.lua`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Meter:
    """Safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._active: dict[str, float] = {}
        self._share = 0.0
        """Seconds that a job would have that was active all the time."""
        self._since = 0.0

    def begin(self, id: str) -> None:
        """From now on the job takes its part."""
        with self._lock:
            self._advance()
            self._active.setdefault(id, self._share)

    def end(self, id: str) -> float:
        """Seconds that the job took since `begin`; 0 when it was not active."""
        with self._lock:
            self._advance()
            return self._share - self._active.pop(id, self._share)

    def _advance(self) -> None:
        now = self._clock()
        if self._active:
            self._share += (now - self._since) / len(self._active)
        self._since = now
