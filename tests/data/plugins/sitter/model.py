"""Who begins a picture while there is a file PARROT_HOLD stops after its first step until the file is gone, and after its first preview
until nobody waits for the picture any more. So no machine is too quick for somebody to look."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bot import Draw, Partial, Picture, Preview, Progress, Work, hookimpl
from plugins.imagine.model import Drawer

LOOKED = 0.02
"""Seconds between two looks; two hundred steps that take so long at least are a picture that is worth a preview."""


class Sitting:
    """A request that stops at what it shows."""

    def __init__(self, work: Work[Draw, Picture]) -> None:
        self._work = work
        self._hold = Path(os.environ["PARROT_HOLD"])
        self._held = self._hold.exists()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    def emit(self, partial: Partial) -> None:
        self._work.emit(partial)
        if self._held and isinstance(partial, Progress):
            self._while(self._hold.exists)
        elif self._held and isinstance(partial, Preview):
            self._while(lambda: True)

    def _while(self, holds: Callable[[], bool]) -> None:
        while holds() and not self._work.cancelled:
            time.sleep(LOOKED)


class Plugin:
    """Changes how the other plugin's models are run."""

    @hookimpl
    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return self._watched()

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        run = Drawer.run
        with patch.object(Drawer, "run", lambda drawer, batch: run(drawer, [Sitting(work) for work in batch])):  # type: ignore[arg-type]
            yield
