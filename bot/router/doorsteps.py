"""Where a server's admins read, and what they are told there: what only they can change. Who greets them: `welcoming.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.connector import Attending, Connector
from bot.errors import StoreError
from bot.messages import Address, Message
from bot.store.digests import digest
from bot.store.presence import Presence

DAY = 86_400

log = structlog.get_logger(__name__)

Say = Callable[[Address, str, str], Awaitable[None]]
"""Says words there, once for the same event."""


@dataclass(frozen=True, slots=True)
class Doorsteps:
    """Keeps what connectors say of each server that the bot is in, for every router; `clock` gives seconds since 1970."""

    say: Say
    clock: Callable[[], float]
    presence: Presence
    connectors: Mapping[str, Connector]

    async def learn(self, message: Message) -> None:
        """The address of a `Joined` is where admins read, where its platform has such a place."""
        if not message.address.direct:
            await self.presence.put(message.address)

    async def forget(self, place: Address) -> None:
        """The bot is there no more."""
        await self.presence.forget(place)

    async def absent(self, name: str) -> list[str]:
        """Servers of a connector that the bot was in, and is in no more."""
        connector = self.connectors.get(name)
        return connector.absent(await self.presence.servers(name)) if isinstance(connector, Attending) else []

    async def tell(self, about: Address, words: str) -> None:
        """Says it, once a day for the same words; where no such place is known, the log has it."""
        try:
            place = await self.presence.doorstep(about)
            if place is not None:
                await self.say(place, f"told:{about.tenant}:{digest(words)}:{self.clock() // DAY:.0f}", words)
        except StoreError as error:
            log.warning("the admins of a server are not told", server=about.tenant, fault=str(error))
