"""Decides whether a message speaks to the bot, from facts alone, the same on every platform. Which route takes it: `dispatch.py`."""

from __future__ import annotations

from bot.messages import Message


def heard(message: Message) -> bool:
    """False for the bot's own words and those of other bots: two bots that answer each other never stop."""
    return not message.sender.bot and message.sender.id != message.me


def addressed(message: Message) -> bool:
    """True for a direct message, a mention of the bot, or a reply to it."""
    if message.address.direct or any(person.id == message.me for person in message.mentions):
        return True
    return message.reply_to is not None and message.reply_to.sender.id == message.me
