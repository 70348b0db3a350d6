"""What the sender of a message is in a server and reacts to, where the platform has to be asked. What follows from it: `permits.py`."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from bot.connector import Connector
from bot.errors import ConnectorError
from bot.knowing import Placing
from bot.messages import Message, Reacted
from bot.router.gate import View

log = structlog.get_logger(__name__)


class Ranking:
    """Asks connectors."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self._connectors = connectors

    async def placed(self, message: Message, view: View) -> Message:
        """With that, if they react or what they are matters there; as it is where nobody has to be asked, or nobody answers."""
        if not (view.ranks or isinstance(message.trigger, Reacted)):
            return message
        connector = self._connectors.get(message.address.connector)
        if not isinstance(connector, Placing):  # such a look takes longer than all else here
            return message
        try:
            return await connector.placed(message)
        except ConnectorError as error:
            log.warning("who somebody is and reacts to cannot be looked up", server=message.address.tenant, fault=str(error))
            return message
