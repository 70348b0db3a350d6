"""Tickets of what the core says itself: words instead of a handler. What they say: whoever makes one."""

from __future__ import annotations

from bot.choices import CORE
from bot.messages import Message
from bot.store.tickets import Body

TOLD_ROUTE = "told"
"""The route of what the core says itself."""


def told(message: Message, text: str, choices: tuple[str, ...] = (), asks: bool = False) -> Body:
    """The ticket that answers the message with these words, and with buttons that say the `choices`; one that `asks` wants a reply."""
    return Body(plugin=CORE, route=TOLD_ROUTE, version="", message=message, refusal=text, choices=choices, asks=asks)
