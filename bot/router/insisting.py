"""Calls a chat platform until it takes something, or says that trying is useless: paced, counted, traced. What is said: `delivery.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot import tracing
from bot.connector import Connector, Limits
from bot.errors import ConnectorError, MessageGone, NotAllowed, StoreError
from bot.messages import Address
from bot.metrics import RouterMetrics
from bot.router.pace import Pace

TRIES = 10

LONGEST_PAUSE = 60.0

Tell = Callable[[Address, str], Awaitable[None]]
"""Tells the admins of a place what they have to change there."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Insisting:
    """The calls of one ticket to its chat. `failed` once the platform would not take something."""

    def __init__(
        self, connector: Connector, address: Address, limits: Limits, pace: Pace, metrics: RouterMetrics, tell: Tell | None
    ) -> None:
        self._connector = connector
        self._address = address
        self._limits = limits
        self._pace = pace
        self._metrics = metrics
        self._tell = tell
        self.failed = False

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Tries until the platform takes it, or says that trying is useless; None then, with a line in the log."""
        for attempt in range(TRIES):
            await self._pace.take(self._address, self._limits)
            try:
                return await self._called(call)
            except ConnectorError as error:
                if error.retry_after is None or attempt == TRIES - 1:
                    self.failed = True
                    log.error("answer not delivered", connector=self._connector.name, fault=str(error), tries=attempt + 1)
                    if isinstance(error, NotAllowed) and self._tell is not None:
                        await self._tell(self._address, error.words)
                    return None
                pause = max(error.retry_after, min(0.5 * 2**attempt, LONGEST_PAUSE))
                await self.hold(error, pause)
                await asyncio.sleep(pause)
        return None

    async def hold(self, error: ConnectorError | StoreError, seconds: float) -> None:
        """Keeps the chat quiet for a while, because of this."""
        limited = isinstance(error, ConnectorError) and error.limited
        await self._pace.hold(self._address, self._limits, seconds, limited=limited)

    async def _called(self, call: Callable[[], Awaitable[T]]) -> T:
        """Makes one call that brings an answer to the platform, and counts it."""
        name, metrics, began = self._connector.name, self._metrics, time.monotonic()
        outcome = "lost"
        try:
            with tracing.span("deliver", connector=name):
                called = await call()
            outcome = "taken"
        except ConnectorError as error:
            outcome = "gone" if isinstance(error, MessageGone) else "refused" if error.retry_after is None else "put off"
            raise
        finally:
            metrics.calls.labels(name, outcome).inc()
            metrics.call_seconds.labels(name).observe(time.monotonic() - began)
        return called
