"""Commands as platforms list them, made from the args models. Where which of them are listed: `publishing.py`."""

from __future__ import annotations

from dataclasses import replace

from bot.connector import Offer
from bot.forms import MOST_CHOICES, Option, options
from bot.routes import Command


def offer(command: Command) -> Offer:
    """The command with its options, those that have to be given first."""
    given = sorted((_completed(command, one) for one in options(command.args)), key=lambda option: not option.required)
    return Offer(command.name, command.description, tuple(given), command.menu, command.descriptions)


def _completed(command: Command, option: Option) -> Option:
    """Whether somebody who types it is helped: where the plugin can, and where there are more choices than a platform lists."""
    return replace(option, completes=option.name in command.completions or len(option.choices) > MOST_CHOICES)
