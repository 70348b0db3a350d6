"""The buttons of status lines: cancel, and another model instead of a long wait. Buttons of plugins: `dispatch.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.connector import Key
from bot.errors import Refused
from bot.jobs import wanted
from bot.messages import Message
from bot.store.digests import digest
from bot.translation import tr

CANCEL = "cancel."
"""How the ids of Cancel buttons begin; the ticket's id follows."""

INSTEAD = "instead."
"""How those of other models begin; the ticket's id and which one follow."""


@dataclass(frozen=True, slots=True)
class Instead:
    """What the operator allows instead of a wait of `after` seconds and more, by kind of job: models, and the words of their buttons."""

    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    after: float = 60.0

    def keys(self, ticket: str, kind: str, model: str | None, ready: frozenset[str]) -> tuple[Key, ...]:
        """The buttons for a job that asked for this model; `ready` is what workers on duty serve."""
        others = {other: words for other, words in self.models.get(kind, {}).items() if other != model and wanted(kind, other) in ready}
        return tuple(Key(f"{INSTEAD}{ticket}.{_short(kind, other)}", words) for other, words in others.items())

    def find(self, short: str) -> tuple[str, str] | None:
        """Which kind and model a button is for."""
        known = [(kind, model) for kind, models in self.models.items() for model in models]
        return next((one for one in known if _short(*one) == short), None)


def _short(kind: str, model: str) -> str:
    return digest(kind, model)[:8]


class Asked(Protocol):
    """Who knows what a ticket is for."""

    async def asked(self, id: str) -> Message | None:
        """See `Tickets.asked`."""


class Waiters(Protocol):
    """Where jobs wait."""

    async def cancel(self, ticket: str) -> None:
        """See `Queue.cancel`."""

    async def withdraw(self, ticket: str) -> None:
        """See `Queue.withdraw`."""

    async def exchange(self, ticket: str, kind: str, model: str) -> bool:
        """See `Queue.exchange`."""


class StatusButtons:
    """Does what the buttons of status lines say, for those who may."""

    def __init__(self, asked: Asked, queue: Waiters, instead: Instead) -> None:
        self._asked = asked
        self._queue = queue
        self._instead = instead

    async def press(self, button: str, message: Message) -> bool:
        """False when it is no such button. Raises Refused for who may not, and for a choice that is not there any more."""
        if button.startswith(CANCEL):
            await self._if_theirs(button.removeprefix(CANCEL), message, self._queue.cancel)
            return True
        if not button.startswith(INSTEAD):
            return False
        ticket, _, short = button.removeprefix(INSTEAD).partition(".")
        chosen = self._instead.find(short)
        if chosen is None:
            raise Refused(tr("This choice is not there any more."))
        await self._if_theirs(ticket, message, lambda ticket: self._queue.exchange(ticket, *chosen))
        return True

    async def withdraw(self, ticket: str) -> None:
        """Ends whatever the ticket waits for, and leaves no trace of it."""
        await self._queue.withdraw(ticket)

    async def _if_theirs(self, ticket: str, message: Message, do: Callable[[str], Awaitable[object]]) -> None:
        asked = await self._asked.asked(ticket)
        if asked is None:
            return
        manages = message.manages and message.address.tenant == asked.address.tenant  # alone with the bot, everybody manages
        if asked.sender.id != message.sender.id and not manages:
            raise Refused(tr("Only the person who asked and the admins of this server can do this."))
        await do(ticket)
