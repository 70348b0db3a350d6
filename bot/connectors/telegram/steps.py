"""What of a post that takes several calls stands already, when it is tried once more. The calls: `sending.py`, `aside.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Steps = dict[str, Any]
"""What the calls that were made gave, by their names."""

T = TypeVar("T")


async def once(steps: Steps, name: str, call: Callable[[], Awaitable[T]]) -> T:
    """What the call gives; if an earlier try made it already, what it gave."""
    if name not in steps:
        steps[name] = await call()
    done: T = steps[name]
    return done
