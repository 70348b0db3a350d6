"""Messages that come too late, because nobody received for a while. How late is too late, each connector says: `Limits.patience`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.messages import Address, Called, Message, Reacted, Said
from bot.translation import later

TOLD = later("I was away for a while and have only now seen this. If you still need an answer, please ask again.")

WORTHLESS = 86_400.0
"""Seconds after which nothing is done any more, not even what a server wants of every message."""

ONE_OUTAGE = 600.0
"""Seconds between two late messages of a chat that belong to the same outage."""

REMEMBERED = 4096


@dataclass
class Lateness:
    """Knows what is late; `patience` gives the seconds for an address, `clock` seconds since 1970."""

    patience: Callable[[Address], float]
    clock: Callable[[], float]
    _told: OrderedDict[str, tuple[float, str]] = field(default_factory=OrderedDict)

    def late(self, message: Message) -> bool:
        """Whether whoever said this does not wait for an answer any more."""
        return self._age(message) > self.patience(message.address)

    def worthless(self, message: Message) -> bool:
        """Whether nothing at all is to be done about it."""
        return self._age(message) > WORTHLESS and self.late(message)

    def _age(self, message: Message) -> float:
        """In seconds; what has no time is never old."""
        counts = message.at > 0 and isinstance(message.trigger, Said | Called | Reacted)
        return self.clock() - message.at if counts else 0.0

    def notice(self, message: Message) -> Message:
        """The message as the event by which its chat is told: the same for all late ones of one outage, on every router."""
        chat, now = message.address.conversation, self.clock()
        at, event = self._told.pop(chat, (0.0, ""))
        if now - at > ONE_OUTAGE:
            event = f"late:{chat}:{int(message.at // 3600)}"  # the same for who finds it again after another start
        self._told[chat] = now, event
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return replace(message, event=event)
