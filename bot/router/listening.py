"""Connectors receive: each on every router, or, where only one may, on the router that leads. What they receive: `dispatch.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from bot.connector import Connected, Connector, Deliver, Single
from bot.errors import ConnectorError, PluginError, StoreError
from bot.router.rounds import lasting

LONGEST_PAUSE = 60.0
"""Seconds before a connector that fails again and again is started anew; one that ran as long is well."""

log = structlog.get_logger(__name__)


class Leases(Protocol):
    """Where leadership is decided: `bot.store.leads.Leads`."""

    lease: float

    async def take(self, what: str) -> bool:
        """See `Leads.take`."""

    async def renew(self, what: str) -> bool:
        """See `Leads.renew`."""

    async def give_up(self, what: str) -> None:
        """See `Leads.give_up`."""


Stand = Literal["receives", "stands by", "waits", "stopped"]
"""How a connector stands in this router; one that `waits` has failed and is started again."""


@dataclass(slots=True)
class Standing:
    """A connector, and how it stands; `fault` is why it does not receive."""

    connector: Connector
    state: Stand = "waits"
    fault: str = ""

    @property
    def now(self) -> tuple[Stand, str]:
        """The same at this moment: one that is running may have lost its platform."""
        if self.state == "receives" and isinstance(self.connector, Connected) and (trouble := self.connector.trouble()):
            return "waits", trouble
        return self.state, self.fault


async def listen(standing: Standing, deliver: Deliver, leases: Leases) -> None:
    """Until cancelled, or the connector gives up."""
    await lasting(f"receiving from {standing.connector.name}", lambda: _listen(standing, deliver, leases))


async def _listen(standing: Standing, deliver: Deliver, leases: Leases) -> None:
    connector = standing.connector
    if isinstance(connector, Single) and connector.single:
        standing.state = "stands by"
        await lead(leases, connector.name, lambda: _receive(standing, deliver))
    else:
        await _receive(standing, deliver)


async def lead(leases: Leases, what: str, act: Callable[[], Awaitable[None]]) -> None:
    """Acts while this router leads, and stands by while another does; returns when the act has ended by itself."""
    standing_by = False
    while True:
        try:
            leads = await leases.take(what)
        except StoreError:
            leads = False
        if leads and await _led(leases, what, act):
            return
        if not leads and not standing_by:
            log.info("this router stands by", connector=what)
        standing_by = not leads
        await asyncio.sleep(leases.lease / 3)


async def _led(leases: Leases, what: str, act: Callable[[], Awaitable[None]]) -> bool:
    """Whether the act ended by itself, rather than because the lease could not be renewed, or something below it was cancelled.

    Raises what the act raised.
    """
    log.info("this router receives", connector=what)
    acting = asyncio.ensure_future(act())
    try:
        while not acting.done() and await _renewed(leases, what):
            await asyncio.wait((acting,), timeout=leases.lease / 3)
        if acting.done() and not acting.cancelled():
            acting.result()
            return True
        if acting.done():
            log.error("receiving was cancelled from within, and begins again", connector=what)
        return False
    finally:
        await end((acting,))
        with suppress(StoreError):  # it ends by itself
            await leases.give_up(what)


async def _renewed(leases: Leases, what: str) -> bool:
    try:
        renewed = await leases.renew(what)
    except StoreError:  # nothing could be written down either
        renewed = False
    if not renewed:
        log.warning("another router may receive now", connector=what)
    return renewed


async def _receive(standing: Standing, deliver: Deliver) -> None:
    """A connector that fails harms nobody else, and is started again."""
    connector, pause = standing.connector, 1.0
    while True:
        began = time.monotonic()
        standing.state, standing.fault = "receives", ""
        try:
            await connector.run(deliver)
            standing.state = "stopped"
            return
        except ConnectorError as error:
            log.error("a connector stopped", connector=connector.name, fault=str(error))
            standing.state, standing.fault = "stopped" if error.retry_after is None else "waits", str(error)
            if error.retry_after is None:
                return
        except asyncio.CancelledError:
            standing.state = "stands by"
            raise
        except Exception as error:
            log.exception("a connector failed", connector=connector.name)
            standing.state, standing.fault = "waits", type(error).__name__
        pause = 1.0 if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)


async def end(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Cancels the tasks and waits for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def named(connectors: Sequence[Connector]) -> dict[str, Connector]:
    """By their names. Raises PluginError for two of one name."""
    found: dict[str, Connector] = {}
    for connector in connectors:
        if connector.name in found:
            raise PluginError(connector.name, "is the name of two connectors: configure one of them away")
        found[connector.name] = connector
    return found
