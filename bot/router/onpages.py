"""What admins decide on the page of their server: the same as by commands, without a ticket. Which pages there are: `bot/web/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.choices import CORE, Change, Chosen, Deed, Level, Where
from bot.connector import Connector, Departing
from bot.errors import ConnectorError, Unavailable
from bot.forms import Picked
from bot.house import Order
from bot.messages import Address, Message
from bot.permissions import Held, Permit, Usable
from bot.quotas import Quota, Usage
from bot.router.deciding import Offices
from bot.router.gate import Gate
from bot.router.rewriting import must_be_admin
from bot.store.servers import Servers
from bot.store.tickets import Write
from bot.translation import Translation, tr


class OnPages:
    """The message by which somebody asked for the page says who they are; what holds is read anew for everything that they do."""

    def __init__(self, servers: Servers, gate: Gate, offices: Offices, connectors: Mapping[str, Connector]) -> None:
        self._servers = servers
        self._gate = gate
        self._choosing = offices.choosing
        self._permitting = offices.permitting
        self._ruling = offices.ruling
        self._helping = offices.helping
        self._metering = offices.metering
        self._readers = offices.readers
        self._picking = offices.picking
        self._connectors = connectors

    async def level(self, message: Message) -> Level:
        """What they may do there now."""
        return self._gate.of(await self._servers.get(message.address.tenant)).level(message)

    async def chosen(self, message: Message) -> list[Chosen]:
        """What holds for each plugin."""
        await self._must_be_admin(message)
        return await self._choosing.chosen(CORE, None, message)

    async def choose(self, message: Message, change: Change) -> Chosen:
        """See `Choosing.choose`. Raises Unavailable where this router does not speak to that platform."""
        connector = self._connectors.get(message.address.connector)
        if connector is None:
            raise Unavailable(tr("The bot is not connected to that platform right now, so nothing can be changed there."))
        return await self._choosing.choose(CORE, message, change, connector, self._keep)

    async def working(self, message: Message, plugin: str, where: Where) -> int:
        """How many requests to a plugin are under way there."""
        return len(await self._choosing.under_way(CORE, message, plugin, where))

    async def stop(self, message: Message, plugin: str, where: Where) -> int:
        """Cancels them; how many there were."""
        return await self._choosing.stop(CORE, message, plugin, where)

    async def known(self, message: Message, kind: Picked) -> dict[str, str]:
        """What there is of a kind, names by id."""
        await self._must_be_admin(message)
        return await self._picking.known(message, kind)

    async def find(self, message: Message, kind: Picked, said: str) -> tuple[str, str]:
        """See `Picking.find`."""
        await self._must_be_admin(message)
        return await self._picking.find(kind, said, message)

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

    async def quotas(self, message: Message) -> list[Quota]:
        """What the server's admins chose."""
        await self._must_be_admin(message)
        return await self._metering.chosen(message)

    async def limit(self, message: Message, quota: Quota) -> None:
        """See `Meters.limit`."""
        await self._metering.limit(message, quota, self._keep)

    async def usage(self, message: Message) -> list[Usage]:
        """Every limit that holds for who asks."""
        await self._must_be_admin(message)
        return await self._metering.usage(message)

    async def reader(self, message: Message) -> Translation | None:
        """The language that they have chosen, None where they leave it to the place and the platform."""
        chosen = next((one.tag for one in await self._readers.languages(message) if one.chosen), "")
        return self._readers.locales.of(chosen) if chosen else None

    async def leave(self, server: str) -> None:
        """Has the bot leave a server. Raises Unavailable where the platform does not let it, or this router does not speak to it."""
        place = Address.of(server)
        connector = self._connectors.get(place.connector)
        if not isinstance(connector, Departing) or not self.leaves(server):
            raise Unavailable(tr("The bot cannot leave {server} by itself. Ban it, and nothing is answered there.", server=server))
        try:
            await connector.leave(place.server)
        except ConnectorError as error:
            raise Unavailable(tr("{server} could not be left: {fault}", server=server, fault=str(error))) from error

    def leaves(self, server: str) -> bool:
        """Whether the bot can leave it by itself."""
        return isinstance(self._connectors.get(server.partition("/")[0]), Departing)

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
