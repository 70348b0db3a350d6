"""Tells the people of a server what its admins change, where these want it. The log of it: `bot/store/servers.py`."""

from __future__ import annotations

import time
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from bot.choices import CORE, Deed
from bot.context import Context
from bot.messages import Address, Person
from bot.replies import Reply
from bot.router.gate import View
from bot.router.table import Entry
from bot.routes import Schedule
from bot.store.digests import digest
from bot.store.schedules import Firing, Schedules
from bot.store.tickets import Write


class Announcement(BaseModel):
    """What was done."""

    model_config = ConfigDict(frozen=True)

    deed: Deed


async def announce(ctx: Context, args: Announcement) -> Reply:
    """In the language of the place."""
    return Reply(args.deed.line, silent=True)


ANNOUNCE = Entry(CORE, Schedule("announce", Announcement, announce))
"""The core's own route."""


def announcing(schedules: Schedules, view: View, address: Address, deed: Deed, id: str) -> list[Write]:
    """The writes that have it told, where the log goes that holds after it: they are one with it, so what has this `id` is told once."""
    place = view.log(address)
    if not place:
        return []
    payload = Announcement(deed=deed).model_dump(mode="json")
    to = replace(address.at(place), direct=address.direct)
    firing = Firing(plugin=CORE, name="announce", payload=payload, address=to, person=Person(deed.by, deed.name), at=time.time())
    return schedules.adding(digest("announce", address.tenant, id), firing)
