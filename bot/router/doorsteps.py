"""Where a server's admins read, and what they are told there: what only they can change. Who greets them: `welcoming.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bot.errors import StoreError
from bot.messages import Address, Message
from bot.store.keys import digest

DAY = 86_400

log = structlog.get_logger(__name__)

Say = Callable[[Address, str, str], Awaitable[None]]
"""Says words there, once for the same event."""


@dataclass
class Doorsteps:
    """Knows what connectors said of each server that the bot is in; `clock` gives seconds since 1970."""

    say: Say
    clock: Callable[[], float]
    _places: dict[str, Address] = field(default_factory=dict)

    def learn(self, message: Message) -> None:
        """The address of a `Joined` is where admins read, where its platform has such a place."""
        if message.address.channel and not message.address.direct:
            self._places[message.address.tenant] = message.address

    async def tell(self, about: Address, words: str) -> None:
        """Says it, once a day for the same words; where no such place is known, the log has it."""
        place = self._places.get(about.tenant)
        if place is None:
            return
        try:
            await self.say(place, f"told:{about.tenant}:{digest(words)}:{self.clock() // DAY:.0f}", words)
        except StoreError as error:
            log.warning("the admins of a server are not told", server=about.tenant, fault=str(error))
