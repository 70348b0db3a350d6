"""A loop on whose clock an hour is over in a second: it leaps over every sleep."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Leaping(asyncio.SelectorEventLoop):
    """A loop for which time passes only where everybody sleeps, and then at once."""

    def __init__(self) -> None:
        outer = self
        self.now = 1000.0

        class Selector(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
                outer.now += timeout or 0.0
                found: list[tuple[selectors.SelectorKey, int]] = super().select(0)
                return found

        super().__init__(Selector())

    def time(self) -> float:
        return self.now


def leap(main: Callable[[Leaping], Awaitable[T]]) -> T:
    """What `main` returns on such a loop."""
    loop = Leaping()
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.close()
