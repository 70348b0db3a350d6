"""The thread that models run in, for the loop that waits for it, or does so no more. What it is given to do: `loop.py`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from bot.worker.diagnosis import DeviceLost

MOMENT = 0.2
"""Seconds that a thread with nothing to do takes at most to notice that it may end."""

P = ParamSpec("P")
R = TypeVar("R")


class ModelThread:
    """Does one thing after the other. `lost` is called when one of them finds the device lost."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._lost = lost
        self._fault: DeviceLost | None = None

    def begin(self, what: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
        """Has it do this."""
        begun = asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(what, *args, **kwargs))
        begun.add_done_callback(self._ended)
        return begun

    def _ended(self, begun: asyncio.Future[Any]) -> None:
        if not begun.cancelled() and isinstance(fault := begun.exception(), DeviceLost):
            self._fault = fault
            self._lost()

    def check(self) -> None:
        """Raises DeviceLost where that was found, also by something that nobody waited for any more."""
        if self._fault is not None:
            raise self._fault

    def end(self) -> bool:
        """False where it goes on with what it does. Blocks for a moment."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for thread in self._threads._threads:
            thread.join(MOMENT)
        return not any(thread.is_alive() for thread in self._threads._threads)
