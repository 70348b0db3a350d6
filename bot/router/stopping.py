"""`/cancel`: whoever asked for something ends it, also where it has no button. Buttons of status lines: `clicking.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.choices import CORE
from bot.context import Context
from bot.router.table import Entry
from bot.routes import Command, NoArgs
from bot.store.tickets import Body
from bot.translation import later, translated

NOTHING = later("There is nothing of yours here that I still work on.")


class Work(Protocol):
    """What is under way, and how to end it."""

    async def under_way(self, tenant: str) -> Mapping[str, Body]:
        """See `Tickets.under_way`."""

    async def cancel(self, ticket: str) -> None:
        """See `Queue.cancel`."""


def stopping(work: Work) -> Entry:
    """The core's command."""

    async def cancel(ctx: Context, args: NoArgs) -> str | None:
        """What is cancelled says so itself."""
        found = (await work.under_way(ctx.address.tenant)).items()
        mine = [id for id, body in found if body.plugin != CORE and _asked(body, ctx)]
        for ticket in mine:
            await work.cancel(ticket)
        return None if mine else translated(NOTHING)

    return Entry(CORE, Command("cancel", "Stop what I still work on for you here.", NoArgs, cancel))


def _asked(body: Body, ctx: Context) -> bool:
    message = body.message
    return message.sender.id == ctx.person.id and message.address.conversation == ctx.address.conversation
