"""Asks for a lease anew while nobody answers: a connection that died without a word must cost none. Leases: `tickets.py`, `leads.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis

from bot.store.connection import afresh

T = TypeVar("T")

TRIES = 3
"""Of one renewal: while a lease lasts."""


async def promptly(redis: Redis, ask: Callable[[], Awaitable[T]], lease: float) -> T:
    """What `ask` comes to, which may be asked for more than once: again over a new connection after a third of the lease, in seconds.

    Who has not been answered by then keeps their place: where all connections are in use, a later place in the line is a worse one.
    Raises TimeoutError when a whole lease goes by, and what the first answer raises.
    """
    tries: list[asyncio.Future[T]] = []
    try:
        for _ in range(TRIES):
            tries.append(asyncio.ensure_future(ask()))
            answered, _ = await asyncio.wait(tries, timeout=lease / TRIES, return_when=asyncio.FIRST_COMPLETED)
            if answered:
                return await answered.pop()
            await afresh(redis)
    finally:
        for one in tries:
            one.cancel()
        await asyncio.gather(*tries, return_exceptions=True)
    raise TimeoutError(f"nothing was heard for {lease} s")
