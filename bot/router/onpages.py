"""What admins decide on the page of their server: the same as by commands, without a ticket. Which pages there are: `bot/web/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.choices import CORE, Change, Chosen, Deed, Level
from bot.connector import Connector
from bot.errors import Unavailable
from bot.house import Order
from bot.messages import Message
from bot.permissions import Held, Permit, Usable
from bot.router.deciding import Offices
from bot.router.gate import Gate
from bot.router.rewriting import must_be_admin
from bot.store.servers import Servers
from bot.store.tickets import Write
from bot.translation import tr


class OnPages:
    """The message by which somebody asked for the page says who they are; what holds is read anew for everything that they do."""

    def __init__(self, servers: Servers, gate: Gate, offices: Offices, connectors: Mapping[str, Connector]) -> None:
        self._servers = servers
        self._gate = gate
        self._choosing = offices.choosing
        self._permitting = offices.permitting
        self._ruling = offices.ruling
        self._helping = offices.helping
        self._connectors = connectors

    async def level(self, message: Message) -> Level:
        """What they may do there now."""
        return self._gate.of(await self._servers.get(message.address.tenant)).level(message)

    async def chosen(self, message: Message) -> list[Chosen]:
        """What holds for each plugin."""
        await self._must_be_admin(message)
        return await self._choosing.chosen(CORE, None, message.address)

    async def choose(self, message: Message, change: Change) -> Chosen:
        """See `Choosing.choose`. Raises Unavailable where this router does not speak to that platform."""
        connector = self._connectors.get(message.address.connector)
        if connector is None:
            raise Unavailable(tr("The bot is not connected to that platform right now, so nothing can be changed there."))
        return await self._choosing.choose(CORE, message, change, connector, self._keep)

    async def held(self, message: Message) -> Held:
        """Who may do what."""
        await self._must_be_admin(message)
        return await self._permitting.held(message)

    async def permit(self, message: Message, permit: Permit) -> Held:
        """See `Permitting.permit`."""
        return await self._permitting.permit(message, permit, self._keep)

    async def deeds(self, message: Message, most: int) -> list[Deed]:
        """The newest entries of the audit log."""
        return await self._choosing.deeds(CORE, message, most)

    async def commands(self, message: Message) -> list[Usable]:
        """Those that somebody may use who is about to write there."""
        return await self._helping.commands(message)

    async def end_work(self, order: Order) -> None:
        """See `Ruling.end_work`."""
        await self._ruling.end_work(order)

    async def _must_be_admin(self, message: Message) -> None:
        must_be_admin(self._gate.of(await self._servers.get(message.address.tenant)), message, tr("see its page"))

    async def _keep(self, value: bytes, writes: Sequence[Write]) -> bytes:
        await self._servers.write(writes)
        return value
