"""What is under way, and how to end it. Who may end it: `choosing.py`, `ruling.py`, `stopping.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.store.queue import Queue
from bot.store.tickets import Body, Tickets


@dataclass(frozen=True, slots=True)
class Work:
    """Tickets and their jobs."""

    tickets: Tickets
    queue: Queue

    async def under_way(self, tenant: str) -> Mapping[str, Body]:
        """See `Tickets.under_way`."""
        return await self.tickets.under_way(tenant)

    async def cancel(self, ticket: str) -> None:
        """See `Queue.cancel`."""
        await self.queue.cancel(ticket)

    async def models(self, ticket: str) -> frozenset[str]:
        """See `Queue.models_of`."""
        return await self.queue.models_of(ticket)

    async def serving(self, kind: str) -> list[str]:
        """See `Queue.models`."""
        return await self.queue.models(kind)
