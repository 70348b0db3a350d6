"""Commands as Discord registers them: of a guild, or of direct messages. Which they are is the router's affair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bot.connector import Offer
from bot.connectors.discord.interactions import menu_label
from bot.errors import NotAllowed
from bot.forms import MOST_CHOICES, PICKED, Option
from bot.translation import later, translated

TYPES = {"text": 3, "integer": 4, "boolean": 5, "person": 6, "channel": 7, "role": 8, "mentionable": 9, "number": 10}

MOST_OPTIONS = 25
MOST_MENU = 5
LONGEST = 100
"""Characters of a description."""

LANGUAGES = frozenset(str(locale) for locale in discord.Locale)

ALSO = {
    "en": ("en-US", "en-GB"),
    "es": ("es-ES", "es-419"),
    "pt": ("pt-BR",),
    "sv": ("sv-SE",),
    "zh": ("zh-CN", "zh-TW"),
    "zh-Hans": ("zh-CN",),
    "zh-Hant": ("zh-TW",),
}
"""Languages that Discord knows by their regions only."""

LET_IN_AGAIN = "an admin there must open the link of `hobnob discord invite` once more"

NO_SCOPE = later(
    "My commands cannot be listed in this server, because I was let in without the scope applications.commands. "
    "An admin opens my invitation once more to change that: whoever runs me has the link."
)

ALONE = 1
"""The context of a direct message with the bot [interactions/application-commands: contexts]."""


async def registered(client: discord.Client, server: str, offers: Sequence[Offer]) -> None:
    """Registers them for a guild, or with "" for direct messages; all at once, so what is no longer there goes. Raises NotAllowed."""
    listed, application = commands(offers, direct=not server), client.application_id or 0
    try:
        if server:
            await client.http.bulk_upsert_guild_commands(application, int(server), listed)
        else:
            await client.http.bulk_upsert_global_commands(application, listed)
    except discord.Forbidden as error:
        raise NotAllowed(
            f"server {server} let the bot in without the scope applications.commands: {LET_IN_AGAIN}", translated(NO_SCOPE)
        ) from error


def commands(offers: Sequence[Offer], *, direct: bool) -> list[dict[str, Any]]:
    """Slash commands, and those that are in the menu of a message too."""
    where: dict[str, Any] = {"contexts": [ALONE], "integration_types": [0]} if direct else {}
    slash = [{"type": 1, "name": one.name, **_described(one), "options": _options(one), **where} for one in offers]
    menus = [{"type": 3, "name": menu_label(one.name), **where} for one in offers if one.menu]
    return [*slash, *menus[:MOST_MENU]]


def _options(offer: Offer) -> list[dict[str, Any]]:
    return [_option(one) for one in offer.options[:MOST_OPTIONS]]


def _option(option: Option) -> dict[str, Any]:
    made: dict[str, Any] = {"type": TYPES[option.kind], "name": option.name, **_described(option), "required": option.required}
    if option.kind in PICKED:
        return made
    if option.completes and option.kind != "boolean":
        made["autocomplete"] = True
    elif 0 < len(option.choices) <= MOST_CHOICES:
        made["choices"] = [{"name": str(choice)[:LONGEST], "value": choice} for choice in option.choices]
    if option.choices:
        return made
    if option.kind in ("integer", "number"):
        made |= {name: value for name, value in (("min_value", option.least), ("max_value", option.most)) if value is not None}
    elif option.kind == "text":
        made |= {name: min(int(value), 6000) for name, value in (("min_length", option.least), ("max_length", option.most)) if value}
    return made


def _described(part: Offer | Option) -> dict[str, Any]:
    return {"description": part.description[:LONGEST] or part.name, "description_localizations": _localised(part.descriptions)}


def _localised(descriptions: Mapping[str, str]) -> dict[str, str]:
    """By Discord's names of languages; what is said for one of its regions goes before what is said for the language."""
    named = {name: text for language, text in descriptions.items() for name in ALSO.get(language, ()) if text}
    return {name: text[:LONGEST] for name, text in {**named, **descriptions}.items() if name in LANGUAGES and text}
