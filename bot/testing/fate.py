"""Where a handler is stopped in a test, so that it runs again from the top. Who stops it: `house.py`, `platform.py`, `models.py`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fate:
    """Strikes once, at the `at`-th step; 0 never does. `steps` says what happened, in order, up to there."""

    at: int = 0
    steps: list[str] = field(default_factory=list)
    struck: asyncio.Event = field(default_factory=asyncio.Event)

    async def step(self, name: str) -> None:
        """Does not return when that is the end of who called."""
        if self.strikes(name):
            await asyncio.Event().wait()

    def strikes(self, name: str) -> bool:
        """Whether it is the end of whoever waits for this."""
        self.steps.append(name)
        if len(self.steps) != self.at:
            return False
        self.struck.set()
        return True
