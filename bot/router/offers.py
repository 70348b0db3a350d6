"""Commands as platforms list them, made from the args models, in every language. Where which of them are listed: `publishing.py`."""

from __future__ import annotations

from dataclasses import replace

from bot.connector import Offer
from bot.forms import MOST_CHOICES, Option, options
from bot.locales import ENGLISH, Locales
from bot.routes import Command


def offer(command: Command, plugin: str, locales: Locales) -> Offer:
    """The command with its options, those that have to be given first. It has every language, so that a list in each is replaced."""
    inputs = [replace(_completed(command, one), descriptions=_said(one.description, plugin, locales)) for one in options(command.args)]
    given = sorted(inputs, key=lambda option: not option.required)
    return Offer(command.name, command.description, tuple(given), command.menu, _said(command.description, plugin, locales))


def _completed(command: Command, option: Option) -> Option:
    """Whether somebody who types it is helped: where the plugin can, and where there are more choices than a platform lists."""
    return replace(option, completes=option.name in command.completions or len(option.choices) > MOST_CHOICES)


def _said(text: str, plugin: str, locales: Locales) -> dict[str, str]:
    return {tag: locales.of(tag, plugin).translated(text) for tag in locales.tags if tag != ENGLISH}
