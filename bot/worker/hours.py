"""Quiet hours: times of day at which a worker leaves its device to others. How it does that: `loop.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta

import structlog

from bot.errors import StoreError
from bot.store.shifts import Shift

log = structlog.get_logger(__name__)


class Hours:
    """Sends workers off duty once for each quiet hours, whose end is remembered: where the operator ends them early, they stay ended."""

    def __init__(self, spans: Sequence[str], shifts: Sequence[Shift]) -> None:
        self._spans = spans
        self._shifts = shifts
        self._kept: datetime | None = None

    async def look(self) -> None:
        """Whether some have begun."""
        end = ending(self._spans, datetime.now())
        if end is not None and end != self._kept:
            with suppress(StoreError):  # the next look tries again
                for shift in self._shifts:
                    await shift.quiet(end.timestamp())
                self._kept = end
                log.info("quiet hours", until=f"{end:%H:%M}")

    async def keep(self) -> None:
        """Looks every second."""
        while self._spans:
            await asyncio.sleep(1.0)
            await self.look()


def ending(spans: Iterable[str], now: datetime) -> datetime | None:
    """When the quiet hours end that are now, on the same clock; None when none are. A span is "22:00-07:00"."""
    ends = [end for begin, end in _around(spans, now) if begin <= now < end]
    return max(ends, default=None)


def _around(spans: Iterable[str], now: datetime) -> Iterable[tuple[datetime, datetime]]:
    """Those that began yesterday or today."""
    for span in spans:
        begins, ends = (time.fromisoformat(word) for word in span.split("-"))
        for day in (now.date() - timedelta(days=1), now.date()):
            begin = datetime.combine(day, begins)
            yield begin, datetime.combine(day if ends > begins else day + timedelta(days=1), ends)
