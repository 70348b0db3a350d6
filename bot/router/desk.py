"""Where dispatch writes tickets, as far as it is concerned. What it writes: `dispatch.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.messages import Message
from bot.store.edits import Heard
from bot.store.quotas import NOTHING, Charge
from bot.store.tickets import Body, Supposed, Ticket


class Desk(Protocol):
    """Where tickets are written: Redis, or memory when the cost of the rest is measured."""

    async def accept(
        self,
        bodies: Sequence[Body],
        settings_version: int,
        at: float,
        charge: Charge = NOTHING,
        supposed: Supposed | None = None,
        *,
        event: str = "",
    ) -> list[Ticket]:
        """See `Tickets.accept`."""

    async def heard(self, message: Message, version: float) -> Heard:
        """See `Tickets.heard`."""

    async def unended(self, ids: Sequence[str]) -> Sequence[str]:
        """See `Tickets.unended`."""

    async def known(self, ids: Sequence[str]) -> bool:
        """See `Tickets.known`."""

    async def under_way(self, tenant: str) -> Mapping[str, Body]:
        """See `Tickets.under_way`."""
