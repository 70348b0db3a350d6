"""What a worker is told while it works: what was cancelled, what came, who is off duty. What it does about it: `loop.py`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from bot.errors import StoreError
from bot.store.duty import CALL, LOAD, UNLOAD, Leave
from bot.store.shifts import Shift

WAIT = 5.0
"""Seconds of one blocking wait."""


class Orders:
    """Hears what is told. `paused` is set while the operator has the device, `called` when that may have changed."""

    def __init__(self, shift: Shift, cancelled: Callable[[str], None], room: Callable[[], None]) -> None:
        """`cancelled` is called with a job that nobody waits for any more, `room` when one came that may join the running turn."""
        self.paused = asyncio.Event()
        self.called = asyncio.Event()
        self.cancelled: deque[str] = deque(maxlen=256)
        """Jobs that were cancelled lately: the news may overtake the claim."""
        self.wishes: deque[tuple[str, bool]] = deque(maxlen=64)
        """Models that the operator wishes to have loaded, or not."""
        self._shift = shift
        self._cancelled = cancelled
        self._room = room

    async def hear(self) -> None:
        """Until cancelled; now and then it looks for what was missed."""
        while True:
            try:
                order = await self._shift.orders(WAIT)
                if order in (CALL, None):
                    await self.attend()
            except StoreError:
                await asyncio.sleep(1.0)
                continue
            if order and order.startswith((LOAD, UNLOAD)):
                self._wish(order)
            elif order and order != CALL:
                self.cancelled.append(order)
                self._cancelled(order)
            else:
                self._room()

    def _wish(self, order: str) -> None:
        word, _, model = order.partition(" ")
        self.wishes.append((model, f"{word} " == LOAD))
        self.called.set()

    async def attend(self) -> None:
        """Looks whether the operator has the device, and says so."""
        await self.look()
        self.called.set()

    async def look(self) -> Leave | None:
        """Looks whether the operator has the device."""
        leave = await self._shift.leave()
        if leave is not None and leave.off == "pause":
            self.paused.set()
        else:
            self.paused.clear()
        return leave
