"""Tells each platform which commands to offer in each server: those of the plugins that are on there. What a command is: `offers.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from bot.connector import Connector, Listing, Offer
from bot.errors import ConnectorError, NotAllowed, StoreError
from bot.messages import Address, Message
from bot.router.gate import Gate
from bot.router.offers import offer
from bot.router.readers import Readers
from bot.router.status import roughly
from bot.router.table import Table
from bot.routes import Command
from bot.store.digests import digest
from bot.store.offered import Offered
from bot.translation import later, reader, translated

SETTLED = 1.0
"""Seconds without a change after which a server is told: whoever switches three plugins on makes one call."""

AGAIN = 30.0
"""Seconds before another try where the platform or the store does not say how long to wait."""

MOST = 100
"""Commands of a server [Discord: application-commands, registering]."""

MOST_NEW = 200
"""New commands of a server in a day; a changed one is not new [ibid.]."""

SPENT = later(
    "My commands here are not up to date: this platform takes at most {most} new ones from me in a day. They are again in {wait}; "
    "until then, what is newly switched on is not in the list, and what is switched off is refused."
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A server that is to be told, by which bot, and when."""

    address: Address
    bot: str
    at: float


class Publishing:
    """Knows the servers that its connectors are in, and keeps what is offered there as it should be."""

    def __init__(
        self,
        table: Table,
        gate: Gate,
        connectors: Mapping[str, Connector],
        offered: Offered,
        readers: Readers,
        tell: Callable[[Address, str], Awaitable[None]],
        everywhere: frozenset[str] = frozenset(),
    ) -> None:
        """`tell` says to the admins of a server what they have to know or change; `everywhere` are commands that need nobody's leave."""
        self._table = table
        self._gate = gate
        self._connectors = connectors
        self._offered = offered
        self._readers = readers
        self._say = tell
        self._everywhere = everywhere
        self._begun: dict[str, str] = {}
        self._due: dict[str, Due] = {}
        self._wake = asyncio.Event()

    def joined(self, message: Message) -> None:
        """A connector is in this server, or has come to speak to people alone: then the lists of all servers are looked at again."""
        self.changed(message)
        if message.address.direct:
            self._begun[message.address.connector] = message.me
            self._wake.set()

    def changed(self, message: Message) -> None:
        """The choices of this message's server have changed; people alone are offered every command, and are refused what is off for them.

        Whichever router changed them tells the platform: one that receives nothing can still call.
        """
        address = message.address
        if message.me:
            self._put_off(replace(address, channel="", thread="", server="" if address.direct else address.server), message.me)

    async def left(self, message: Message) -> None:
        """There is nobody to list anything for."""
        self._due.pop(message.address.tenant, None)
        await self._offered.forget(message.me, message.address.tenant)

    def _put_off(self, place: Address, bot: str) -> None:
        if isinstance(self._connectors.get(place.connector), Listing):
            self._due[place.tenant] = Due(place, bot, time.monotonic() + SETTLED)
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._look()
            wait = min((due.at for due in self._due.values()), default=None)
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), None if wait is None else max(0.0, wait - time.monotonic()))
            except TimeoutError:
                ready = [due for due in self._due.values() if due.at <= time.monotonic()]
                for due in ready:
                    del self._due[due.address.tenant]
                    await self._tell(due)

    async def _look(self) -> None:
        """What plugins bring may have changed since they were told: some platforms never say which servers the bot is in."""
        while self._begun:
            connector, bot = self._begun.popitem()
            try:
                for tenant in await self._offered.servers(bot, connector):
                    self._put_off(Address.of(tenant), bot)
            except StoreError as error:
                log.warning("which servers were told of commands is not known", connector=connector, fault=str(error))

    async def _tell(self, due: Due) -> None:
        tenant = due.address.tenant
        try:
            after = await self._publish(due)
        except ConnectorError as error:
            log.warning("commands are not offered", server=tenant, fault=str(error))
            if isinstance(error, NotAllowed):
                await self._say(due.address, error.words)
            after = error.retry_after and max(error.retry_after, AGAIN)
        except StoreError as error:
            log.warning("commands are not offered yet", server=tenant, fault=str(error))
            after = AGAIN
        except Exception:  # a fault of one connector must not keep the commands of all others from their servers
            log.exception("commands are not offered yet", server=tenant)
            after = AGAIN
        if after and tenant not in self._due:
            self._due[tenant] = replace(due, at=time.monotonic() + after)

    async def _publish(self, due: Due) -> float | None:
        """None, or in how many seconds to come back."""
        connector, tenant = self._connectors[due.address.connector], due.address.tenant
        assert isinstance(connector, Listing)
        self._gate.forget(due.address)  # what is offered follows from the newest choices
        offers = await self._offers(due.address)
        told, now = await self._offered.get(due.bot, tenant), digest(repr(offers))
        if told.digest == now:
            return None
        names = {one.name for one in offers}
        wait = await self._offered.spend(due.bot, tenant, len(names - told.names), MOST_NEW)
        words = self._readers.at(due.address, await self._gate.view(due.address))
        if wait:
            log.warning("a server has had all new commands of a day", server=tenant, seconds=wait)
            with reader(words):
                await self._say(due.address, translated(SPENT, most=MOST_NEW, wait=roughly(wait)))
            return float(wait)
        with reader(words):  # in which the connector says what stands in its way
            await connector.publish(due.address.server, offers)
        await self._offered.put(due.bot, tenant, now, sorted(names))
        return None

    async def _offers(self, address: Address) -> list[Offer]:
        view = await self._gate.view(address)
        known = [
            (name, entry) for name, entry in sorted(self._table.commands.items()) if address.direct or view.allows(entry.plugin, address)
        ]
        entries = [entry for name, entry in known if address.direct or view.serves(address) or name in self._everywhere]
        commands = [(entry.route, entry.plugin) for entry in entries if isinstance(entry.route, Command)]
        if len(commands) > MOST:
            log.warning("more commands than a server takes", server=address.tenant, left_out=[one.name for one, _ in commands[MOST:]])
        return [offer(command, plugin, self._readers.locales) for command, plugin in commands[:MOST]]
