"""What a router does again and again: waits while Redis is away, and goes on after a fault, which is told by the round's name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from bot.errors import StoreError

FIRST = 1.0
"""Seconds after which a round that failed begins again, and between two looks whether Redis is back."""

LONGEST = 60.0
"""Seconds that it waits at most when it fails again and again."""

log = structlog.get_logger(__name__)


class Beat:
    """When rounds begin, every `pause` seconds: all at one moment, so that what they ask of the store travels together."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self._next = asyncio.Event()
        self._next.set()

    async def next(self) -> None:
        """Waits for the next; the first who does is the one whose pause is whole."""
        if self._next.is_set():
            self._next = asyncio.Event()
            asyncio.get_running_loop().call_later(self.pause, self._next.set)
        await self._next.wait()


async def lasting(name: str, run: Callable[[], Awaitable[None]], *, longest: float = LONGEST) -> None:
    """Until it returns or is cancelled. What fails begins again after a pause, which grows up to `longest` seconds."""
    pause = FIRST
    while True:
        began = time.monotonic()
        try:
            return await run()
        except asyncio.CancelledError:
            if _told_to_stop():
                raise
            log.exception("a round failed", round=name, again_in=pause)  # something below was cancelled, and not this
        except Exception:  # whatever it is, the others do not end with it, and it is not gone unsaid until the router stops
            log.exception("a round failed", round=name, again_in=pause)
        ran = time.monotonic() - began
        await asyncio.sleep(pause)
        pause = FIRST if ran > pause else min(2 * pause, longest)


async def again(name: str, once: Callable[[], Awaitable[None]], beat: Beat | None = None, *, longest: float = LONGEST) -> None:
    """A round at every beat, one after another without; while Redis is away once a second, with one line in the log."""
    away = False

    async def rounds() -> None:
        nonlocal away
        while True:
            try:
                await once()
                if away:
                    log.info("redis is back", round=name)
                away = False
                await (beat.next() if beat else asyncio.sleep(0.0))
            except (StoreError, TimeoutError) as error:
                if not away:
                    log.error("redis is away", round=name, fault=str(error) or "it does not answer")
                away = True
                await asyncio.sleep(FIRST)

    await lasting(name, rounds, longest=longest)


async def passed(act: Awaitable[None], trouble: str, **entry: str) -> bool:
    """Whether it went well; what went wrong with one entry is logged, and holds up none behind it.

    Raises StoreError and TimeoutError, which all have: the entry is none the worse for it.
    """
    try:
        await act
    except (StoreError, TimeoutError):
        raise
    except Exception:
        log.exception(trouble, **entry)
        return False
    return True


def _told_to_stop() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
