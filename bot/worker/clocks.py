"""The time that a job has. Who has used it up is given up by the worker; what goes on all the same is ended with it, by the warden."""

from __future__ import annotations

import time
from collections.abc import Callable

SPARE = 0.05
"""The part of a job's time in which it is given up. Steps of a model and connections of a client end in less: 30 s of ten minutes."""

LOOK = 0.25
"""Seconds between two looks at the clocks of a turn, at least: half of what a job of ten seconds has to spare."""

SELDOM = 1.0
"""Seconds between two of them while no time is nearly used up: each takes the processor from the model, and somebody may join meanwhile."""


class Clock:
    """Counts down from a job's time, but for what is spare, and stands still while the job is parked."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._ends = now() + seconds * (1.0 - SPARE)
        self._stopped: float | None = None

    @property
    def left(self) -> float:
        """Seconds; below 0 once they are used up."""
        return self._ends - (self._now() if self._stopped is None else self._stopped)

    def stop(self) -> None:
        """The job is parked."""
        self._stopped = self._now()

    def go_on(self) -> None:
        """The job runs again."""
        if self._stopped is not None:
            self._ends += self._now() - self._stopped
            self._stopped = None
