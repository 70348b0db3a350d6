"""Lets the admins of a server into its page, by a link that proves who they are. What they do there: `onpages.py`."""

from __future__ import annotations

from dataclasses import replace

from bot.errors import Unavailable
from bot.messages import Message, Said
from bot.router.gate import Gate
from bot.router.rewriting import must_be_admin
from bot.store.sessions import SOON, Sessions, admin
from bot.translation import tr


class Entering:
    """Makes links."""

    def __init__(self, sessions: Sessions, gate: Gate) -> None:
        self._sessions = sessions
        self._gate = gate

    async def link(self, message: Message) -> str:
        """A link that works once, for ten minutes. Raises Refused for who is no admin, Unavailable where there are no pages."""
        must_be_admin(await self._gate.view(message.address), message, tr("open its page"))
        address = await self._sessions.served()
        if address is None:
            raise Unavailable(tr("No pages are served right now. Whoever runs me can change that."))
        asked = replace(message, id="", event="", via="", parts=(), mentions=(), reply_to=None, trigger=Said(), album="")
        return await self._sessions.link(address, admin(asked), SOON)
