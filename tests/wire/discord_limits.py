"""Discord's rate limits: buckets by route and channel, and the one of the whole bot. What is limited: `discord_rest.py`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

GLOBAL = 50
"""Requests a second that a bot may make; interaction endpoints are exempt."""

SEVERAL = 5
"""Messages, or edits, that a channel takes in as many seconds; observed, because Discord tells it in headers only."""


@dataclass
class Bucket:
    """One bucket: `size` calls in `window` seconds."""

    size: int
    window: float
    left: int = 0
    until: float = 0.0

    def take(self, at: float) -> float:
        """0.0, or the seconds until there is room again."""
        if at >= self.until:
            self.left, self.until = self.size, at + self.window
        if self.left <= 0:
            return self.until - at
        self.left -= 1
        return 0.0


@dataclass
class Limiter:
    """All buckets. `scale` divides every time, for tests that compress an hour."""

    scale: float = 1.0
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    calls: deque[float] = field(default_factory=deque)
    busiest: int = 0
    clock: Callable[[], float] = time.monotonic

    def take(self, route: str, channel: str, *, exempt: bool) -> tuple[float, bool, dict[str, str]]:
        """How long to wait (0.0 when the call is fine), whether the whole bot must, and the headers that say so."""
        at = self.clock()
        window = 1.0 / self.scale
        while self.calls and self.calls[0] <= at - window:
            self.calls.popleft()
        if not exempt:
            if len(self.calls) >= GLOBAL:
                return self.calls[0] + window - at, True, {"X-RateLimit-Global": "true"}
            self.calls.append(at)
            self.busiest = max(self.busiest, len(self.calls))
        bucket = self.buckets.setdefault((route, channel), Bucket(SEVERAL, SEVERAL / self.scale))
        wait = bucket.take(at)
        headers = {
            "X-RateLimit-Limit": str(bucket.size),
            "X-RateLimit-Remaining": str(bucket.left),
            "X-RateLimit-Reset": f"{time.time() + bucket.until - at:.3f}",
            "X-RateLimit-Reset-After": f"{bucket.until - at:.3f}",
            "X-RateLimit-Bucket": f"{abs(hash(route)):x}",
        }
        return wait, False, headers
