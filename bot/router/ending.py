"""What follows a ticket's end: it is counted, logged and told to plugins, and its jobs are forgotten. Until then: `runner.py`."""

from __future__ import annotations

import asyncio
import time

import structlog

from bot.errors import StoreError
from bot.events import Event
from bot.metrics import RouterMetrics
from bot.plugins import Plugins
from bot.router.delivery import Line
from bot.router.explaining import Explaining
from bot.router.gate import Gate
from bot.router.noting import Noting
from bot.store.queue import Queue
from bot.store.tally import Tally
from bot.store.tickets import Ticket
from bot.translation import Phrase

log = structlog.get_logger(__name__)


class Endings:
    """What follows a ticket's end: its jobs are forgotten, and plugins that observe are told."""

    def __init__(
        self, plugins: Plugins, gate: Gate, queue: Queue, metrics: RouterMetrics, tally: Tally, explaining: Explaining, noting: Noting
    ) -> None:
        self._explaining = explaining
        self._noting = noting
        self._metrics = metrics
        self._tally = tally
        self._plugins = plugins
        self._gate = gate
        self._queue = queue
        self._tasks: set[asyncio.Task[None]] = set()

    def ended(self, ticket: Ticket, line: Line, outcome: str, worked: bool, trouble: Phrase | None) -> None:
        """Returns at once."""
        self._metrics.tickets.labels(ticket.body.plugin, outcome).inc()
        self._metrics.ticket_seconds.labels(ticket.body.plugin).observe(max(0.0, time.time() - ticket.at))
        self._tally.ended(ticket.body.message.address.tenant, time.time() - ticket.at, outcome == "failed")
        if ticket.fence > 1:
            self._metrics.takeovers.inc()
        task = asyncio.create_task(self._follow_up(ticket, line, outcome, worked, trouble))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow_up(self, ticket: Ticket, line: Line, outcome: str, worked: bool, trouble: Phrase | None) -> None:
        try:
            requests = await self._explaining.ended(ticket, line, worked, trouble)
            self._tally.worked(sum(one.worked or 0.0 for one in requests))
            await self._noting.rests(ticket.body.message.address, ticket.body.plugin, self._plugins.calls)
            await self._tell(ticket, outcome, worked)
        except StoreError as error:  # what is left behind has a lifetime
            log.warning("nothing followed a ticket's end", ref=ticket.ref, fault=str(error))

    async def _tell(self, ticket: Ticket, outcome: str, worked: bool) -> None:
        address = ticket.body.message.address
        facts = {"seconds": round(time.time() - ticket.at, 3), "outcome": outcome}
        event = Event("ticket.finished", time.time(), ticket.ref, address.tenant, ticket.body.plugin, facts)
        log.info(event.name, ref=event.ref, server=event.server, plugin=event.plugin, route=ticket.body.route, **event.facts)
        view = await self._gate.view(address)
        self._plugins.observe((name for name in self._plugins.loaded if view.allows(name, address)), event)
        if worked:
            await self._queue.drop(ticket.id)

    async def close(self) -> None:
        """Returns when everything that had to follow has followed."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._explaining.close()
