"""Writes into a server's log, and tells where that is told, what nobody decided. What admins decide: `rewriting.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import structlog

from bot.calls import ADMIT, RESTS, Calls
from bot.choices import Deed
from bot.errors import StoreError
from bot.messages import Address
from bot.router.announcing import announcing
from bot.router.gate import Gate
from bot.store.schedules import Schedules
from bot.store.servers import Servers
from bot.translation import later

ONCE_IN = 3600.0
"""Seconds in which the same is written down once, so that nobody can push what admins did out of their log."""

RECENT = 20
"""Entries of the log in which it is looked for."""

BOT = later("the bot")

log = structlog.get_logger(__name__)


class Noting:
    """Nothing is written for a server that the bot has left: nobody reads that log any more, and nothing would end it."""

    def __init__(self, servers: Servers, schedules: Schedules, gate: Gate) -> None:
        self._servers = servers
        self._schedules = schedules
        self._gate = gate

    async def once(self, address: Address, deed: Deed, alike: Callable[[Deed], bool], *, told: bool = False) -> None:
        """Writes it down, unless one alike was; `told` says that it is no secret where changes are told."""
        tenant = address.tenant
        server = await self._servers.get(tenant)
        if server.left:
            return
        said = announcing(self._schedules, self._gate.of(server), address, deed, f"{deed.at}") if told else []
        await self._servers.note(tenant, deed, lambda one: alike(one) and deed.at - one.at < ONCE_IN, RECENT, said)

    async def rests(self, address: Address, plugin: str, calls: Calls) -> None:
        """Tells the admins of a server, whose people asked this plugin something just now, which of those that are on there are not asked
        for a while. Who is alone with the bot reads no log of what nobody did, and nothing would end it.
        """
        for rest in calls.resting():
            if not address.direct and (rest.what == ADMIT or rest.plugin == plugin):
                deed = Deed(time.time(), "", BOT, "", "", (rest.said,))
                try:
                    if (await self._gate.view(address)).allows(rest.plugin, address):
                        await self.once(address, deed, partial(_rested, rest.plugin), told=True)
                except StoreError as error:
                    log.warning("the admins of a server are not told that a plugin rests", server=address.tenant, fault=str(error))


def _rested(plugin: str, deed: Deed) -> bool:
    """Whether this says that it rests."""
    return any(one.text == RESTS and one.values["plugin"] == plugin for one in deed.what)
