"""Waits for what is to become true, without sleeping. Platforms and models to wait for: the other files here."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def wait_until(condition: Callable[[], Awaitable[T]], seconds: float = 10.0) -> T: ...
@overload
async def wait_until(condition: Callable[[], T], seconds: float = 10.0) -> T: ...
async def wait_until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Asks until `condition` gives something true and returns that; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"still {value!r} after {seconds} s: {inspect.getsource(condition).strip()}")
        await asyncio.sleep(0.01)
