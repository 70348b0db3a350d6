"""Gives a question a thread of its own, where a place wants that and its platform has threads. Where: `addressing.py` and the choices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import structlog

from bot.connector import Connector, Threading
from bot.errors import ConnectorError, NotAllowed
from bot.messages import Address, Message, Said

LONGEST = 60
"""Characters of a thread's name."""

log = structlog.get_logger(__name__)


class Threads:
    """Opens threads through the connectors that can."""

    def __init__(self, connectors: Mapping[str, Connector], tell: Callable[[Address, str], Awaitable[None]]) -> None:
        """`tell` says to the admins of a place what they have to change there."""
        self._connectors = connectors
        self._tell = tell

    async def opened(self, message: Message) -> Message:
        """The message as said in its own thread; as it was where there is none to open, which harms no answer."""
        connector, place = self._connectors.get(message.address.connector), message.address
        if place.thread or place.direct or not isinstance(message.trigger, Said) or not isinstance(connector, Threading):
            return message
        try:
            return replace(message, address=replace(place, thread=await connector.open_thread(message, title(message))))
        except ConnectorError as error:
            log.warning("no thread for a question", server=place.tenant, fault=str(error))
            if isinstance(error, NotAllowed):
                await self._tell(place, error.words)
            return message


def title(message: Message) -> str:
    """The beginning of the question, without the mention that says to whom."""
    text = message.text
    for person in message.mentions:
        if person.id == message.me:
            text = text.replace(f"@{person.name}", "")
    line = " ".join(text.split())
    return (line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…") or "…"
