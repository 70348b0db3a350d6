"""Connectors receive: each on every router, or, where only one may, on the router that leads. What they receive: `dispatch.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from bot.connector import Connector, Deliver, Single
from bot.errors import ConnectorError, StoreError

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


async def listen(connector: Connector, deliver: Deliver, leases: Leases) -> None:
    """Until cancelled, or the connector gives up."""
    if isinstance(connector, Single) and connector.single:
        await lead(leases, connector.name, lambda: _receive(connector, deliver))
    else:
        await _receive(connector, deliver)


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
    """Whether the act ended by itself, rather than because the lease could not be renewed."""
    log.info("this router receives", connector=what)
    acting = asyncio.ensure_future(act())
    try:
        while not acting.done() and await _renewed(leases, what):
            await asyncio.wait((acting,), timeout=leases.lease / 3)
        return acting.done()
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


async def _receive(connector: Connector, deliver: Deliver) -> None:
    """A connector that fails harms nobody else, and is started again."""
    pause = 1.0
    while True:
        began = time.monotonic()
        try:
            await connector.run(deliver)
            return
        except ConnectorError as error:
            log.error("a connector stopped", connector=connector.name, fault=str(error))
            if error.retry_after is None:
                return
        except Exception:
            log.exception("a connector failed", connector=connector.name)
        pause = 1.0 if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)


async def end(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Cancels the tasks and waits for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
