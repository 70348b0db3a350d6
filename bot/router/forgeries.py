"""Clicks that no button of ours can have made, as a changed app may send them. What a button does: `finding.py`."""

from __future__ import annotations

import structlog

from bot.messages import Message
from bot.router.matching import Unmatched
from bot.router.noting import Noting
from bot.router.rewriting import deed
from bot.translation import Phrase, later, tr

UNKNOWN = later("pressed a button that I do not know: it is forged, or nobody pressed it for 30 days")
OTHER = later("chose what a button of mine does not offer: that is forged")

log = structlog.get_logger(__name__)


class Forged(Unmatched):
    """The text is the reply; `what` is what the admins read of it."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__(text)
        self.what = what


def unknown() -> Forged:
    """Nobody remembers the button."""
    return Forged(tr("This button is too old to work."), UNKNOWN)


def not_offered() -> Forged:
    """Something was chosen or filled in that the button does not ask for."""
    return Forged(tr("This button does not offer that, so nothing was done."), OTHER)


class Forgeries:
    """Writes them down for the operator and for the admins of the server."""

    def __init__(self, noting: Noting) -> None:
        self._noting = noting

    async def note(self, message: Message, forged: Forged) -> None:
        """In the log, and in the server's audit log, there once in a while for each person."""
        done = deed(message, "", "", Phrase(forged.what))
        log.warning("a click that no button made", server=message.address.tenant, person=message.sender.id, what=forged.what)
        await self._noting.once(message.address, done, lambda one: (one.by, one.what) == (done.by, done.what))
