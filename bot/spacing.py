"""Calls one after another at a steady rate, with a few at once after silence. How often a platform takes any: its connector knows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from math import inf

BURST = 8
"""One in so many of the calls of a second may be made at once."""

SOON = 1e-9
"""Seconds that are no wait: a timer may come so much too early."""


def steps(rate: float) -> tuple[float, float]:
    """Seconds between two calls, and by how many a call may be early, so that no second has more than `rate`; 0.0 where all may be made."""
    if rate == inf:
        return 0.0, 0.0
    several = max(1.0, rate / BURST)
    gap = 1.0 / max(rate - several, min(rate, 1.0))
    return gap, (several - 1.0) * gap


class Spacing:
    """At most `rate` calls in any second, in the order in which they are asked for; `clock` gives seconds.

    Evenly, but for a few at once: calls that are made together arrive apart, and so meet others in somebody else's second. A turn is
    taken when it has come and not before, so a process that stood still makes up for nothing.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._gap, self._early = steps(rate)
        self._due = -inf
        self._line = asyncio.Lock()
        self.waiting = 0
        """How many calls wait for their turn."""

    async def turn(self) -> None:
        """Waits for the next turn, and takes it."""
        self.waiting += 1
        try:
            await self._taken()
        finally:
            self.waiting -= 1

    async def first(self) -> None:
        """For calls that matter more: these have turns elsewhere, and wait for nothing here."""

    async def _taken(self) -> None:
        async with self._line:
            while (wait := self._wait()) > SOON:  # noqa: ASYNC110  what ends it is time
                await asyncio.sleep(wait)
            self._due = max(self._due, self._clock()) + self._gap

    def _wait(self) -> float:
        return self._due - self._early - self._clock()


class Beside(Spacing):
    """The same for calls beside others that matter more: of these one at a time stands in line with the `first`, and so they get what
    those leave, all of it where there are none.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(rate, clock)
        self._behind = asyncio.Lock()

    async def first(self) -> None:
        """Waits for the next turn before all others, and takes it."""
        await super()._taken()

    async def _taken(self) -> None:
        async with self._behind:
            await super()._taken()
