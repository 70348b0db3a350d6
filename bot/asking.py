"""How a model asks another program: for as long as somebody waits for the job. How many jobs do so at once: `Model.concurrency`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bot.models import Work

T = TypeVar("T")

LOOK = 0.05
"""Seconds after which it is seen that nobody waits any more."""


def while_wanted(work: Work[Any, Any], asks: Coroutine[Any, Any, T]) -> T | None:
    """What `asks` comes to, in an event loop of its own; None once nobody waits for the job: what it awaits is cancelled then.

    For `run` of a model with `concurrency`. Raises what `asks` raises. A job whose time is used up is one that nobody waits for.
    """
    return asyncio.run(_watched(work, asks))


async def _watched(work: Work[Any, Any], asks: Coroutine[Any, Any, T]) -> T | None:
    asking = asyncio.ensure_future(asks)
    while not (await asyncio.wait({asking}, timeout=LOOK))[0]:
        if work.cancelled:
            asking.cancel()
    return None if asking.cancelled() else asking.result()
