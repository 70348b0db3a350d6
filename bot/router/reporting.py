"""Tells others what plugins do: who listens hears each call, and everybody sees which plugins rest. What is told: `bot/calls.py`."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict

from bot.calls import Call, Calls, Rest
from bot.router.rounds import Beat, again
from bot.store.tracing import Tracing
from bot.store.troubles import Trouble, Troubles

MOST = 1000
"""Calls that wait to be told; the oldest are dropped."""


class Reporting:
    """Runs beside the router's other rounds."""

    def __init__(self, calls: Calls, tracing: Tracing, troubles: Troubles) -> None:
        self._calls = calls
        self._tracing = tracing
        self._troubles = troubles
        self._waiting: deque[Call] = deque(maxlen=MOST)
        self._rests: deque[Rest] = deque()
        calls.rested = self._rests.append

    async def run(self, beat: Beat) -> None:
        """Until cancelled."""
        await again("what plugins do", self._once, beat)

    async def _once(self) -> None:
        while self._rests:
            rest = self._rests[0]
            await self._troubles.tell(Trouble(plugin=rest.plugin, what=rest.said, until=rest.until))
            self._rests.popleft()
        if not await self._tracing.heard():
            self._calls.hear = None
            self._waiting.clear()
            return
        if self._calls.hear is None:
            self._waiting.extend(self._calls.begun)
            self._calls.hear = self._waiting.append
        told = [json.dumps(asdict(call)) for call in self._waiting]
        self._waiting.clear()
        if told:
            await self._tracing.tell(told)
