"""The commands that Telegram shows when somebody types a slash. Which ones they are, where, decides `bot/router/publishing.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from telegram import Bot, BotCommand, BotCommandScope, BotCommandScopeAllPrivateChats, BotCommandScopeChat

from bot.connector import Offer

NAME = re.compile(r"[a-z0-9_]{1,32}")
LONGEST = 256
"""Letters of a description."""


async def listed(bot: Bot, server: str, offers: Sequence[Offer]) -> None:
    """Shows exactly these in the group, or with "" alone with people, in each language that they speak."""
    scope = BotCommandScopeChat(int(server)) if server else BotCommandScopeAllPrivateChats()
    fit = [offer for offer in offers if NAME.fullmatch(offer.name)]
    if not fit:
        await bot.delete_my_commands(scope)
        return
    await _set(bot, scope, fit, "")
    for language in sorted({tag for offer in fit for tag in offer.descriptions}):
        await _set(bot, scope, fit, language)


async def _set(bot: Bot, scope: BotCommandScope, offers: Sequence[Offer], language: str) -> None:
    """Telegram tells languages apart by two letters."""
    commands = [BotCommand(offer.name, _described(offer, language)) for offer in offers]
    await bot.set_my_commands(commands, scope, language_code=language[:2].lower() or None)


def _described(offer: Offer, language: str) -> str:
    """What it does, and what it is given behind its name."""
    words = offer.descriptions.get(language, offer.description)
    return words[:LONGEST] or offer.name
