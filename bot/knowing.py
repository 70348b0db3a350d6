"""What a connector may know of a server: channels, roles, people, and who sees them. What is picked: `bot/router/picking.py`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, Protocol, runtime_checkable

from bot.messages import Address, Message


@runtime_checkable
class Knowing(Protocol):
    """A connector that knows what a server has; while `picks` is true its forms have the platform's own menus for that."""

    picks: bool

    async def known(self, to: Address, kind: Literal["channel", "role", "person"]) -> Mapping[str, str]:
        """Their names, by id, see `Picked`; of people those who are known to it. Raises ConnectorError."""


@runtime_checkable
class Searching(Protocol):
    """A connector whose platform lists nobody, but finds people by their names."""

    async def search(self, to: Address, name: str) -> Mapping[str, str]:
        """The people of a server whose names begin so, some at least, by id. Raises ConnectorError."""


@runtime_checkable
class Hiding(Protocol):
    """A connector whose platform shows some channels of a server to some of its people alone."""

    async def seen(self, message: Message, places: Collection[str]) -> Collection[str]:
        """Those of these channels and threads that its sender may see, as the platform says now. Raises ConnectorError."""


@runtime_checkable
class Placing(Protocol):
    """A connector that must ask its platform what somebody is in a server or reacts to; of whoever speaks to the bot or clicks it has."""

    async def placed(self, message: Message) -> Message:
        """With what its sender is, asked within the last minute, or just now for who reacts; and with what they react to.

        Called once a route takes the message, and before the gate decides. Raises ConnectorError.
        """
