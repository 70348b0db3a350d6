"""One change of a server's choices: who may, on what it is based, and who is told. What changes: `choosing.py`, `permitting.py`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from bot.choices import Deed, Where, reaches
from bot.errors import BadArguments, Busy, Refused
from bot.messages import Address, Message
from bot.router.announcing import announcing
from bot.router.gate import Gate, View
from bot.router.permits import named
from bot.store.schedules import Schedules
from bot.store.servers import Server, Servers
from bot.store.tickets import StaleSettings, Write
from bot.translation import Phrase, tr

TRIES = 20
"""Changes of others that one change may meet; each of them got through, so nobody ever waits for nobody."""

Keep = Callable[[bytes, Sequence[Write]], Awaitable[bytes]]
"""Journals a value together with its writes. Raises StaleSettings when these are based on choices of the past."""

Edit = Callable[[Server], Awaitable[tuple[Server, bytes, Deed]]]
"""Makes of what stands there what is to stand there, what the one who asked is given, and the entry of the log."""


class Rewriting:
    """Changes choices for admins. `told` is called after each change, with the message by which it was made."""

    def __init__(self, servers: Servers, schedules: Schedules, gate: Gate, told: Callable[[Message], None]) -> None:
        self._servers = servers
        self._schedules = schedules
        self._gate = gate
        self._told = told

    async def rewrite(self, message: Message, what: str, edit: Edit, keep: Keep) -> bytes:
        """Edits the newest choices until no change of somebody else comes between. Raises Refused and Busy."""
        address = message.address
        for _ in range(TRIES):
            server = await self._servers.get(address.tenant)
            must_be_admin(self._gate.of(server), message, what)
            if server.left:
                raise Refused(tr("I am not in this server any more, so nothing was saved."))
            changed, value, deed = await edit(server)
            view = self._gate.of(changed)
            told = announcing(self._schedules, view, address, deed, f"{view.version}")
            try:
                kept = await keep(value, [*self._servers.changing(address.tenant, changed, deed), *told])
            except StaleSettings:
                continue
            self._gate.forget(address)
            self._told(message)
            return kept
        raise Busy(tr("Too many people change settings here at once. Please try again in a moment."))


def must_be_admin(view: View, message: Message, what: str) -> None:
    """Raises Refused, with what is missing."""
    level = view.level(message)
    if not reaches(level, "admin"):
        raise Refused(
            tr("Only the admins of this server can {what}, and you are a {level} here. Ask one of them.", what=what, level=named(level))
        )


def deed(message: Message, place: str, plugin: str, *what: Phrase, who: str = "") -> Deed:
    """An entry of the log, of now; `who` is whom it concerns, of whom only a person is named."""
    return Deed(time.time(), message.sender.id, message.sender.name, place, plugin, what, about=who if who.startswith("person:") else "")


def place_of(address: Address, where: Where) -> str:
    """The place as choices know it, "" for the server. Raises BadArguments outside of threads."""
    if where == "thread" and not address.thread:
        raise BadArguments(tr("This is no thread, so nothing can be chosen for it."))
    return {"server": "", "channel": address.channel, "thread": address.topic}[where]
