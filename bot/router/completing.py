"""Helps people who are typing a command, where its plugin is on. What may be meant: the plugin, or the choices of the args model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog

from bot.connector import Connector, Suggesting
from bot.forms import MOST_CHOICES, Choice, options
from bot.messages import Message, Typing
from bot.router.gate import Gate
from bot.router.readers import Readers
from bot.router.table import Table
from bot.routes import Command, Completing
from bot.translation import reader

PATIENCE = 2.0
"""Seconds that a completion may take: Discord waits for three in all."""

log = structlog.get_logger(__name__)


class Suggestions:
    """What may be meant, as gate and settings see it."""

    def __init__(self, table: Table, gate: Gate, connectors: Mapping[str, Connector], readers: Readers) -> None:
        self._table = table
        self._gate = gate
        self._connectors = connectors
        self._readers = readers

    async def give(self, message: Message, typing: Typing) -> None:
        """Shows it through the connector that asked."""
        connector = self._connectors.get(message.address.connector)
        if isinstance(connector, Suggesting):
            await connector.suggest(message, await self._choices(message, typing))

    async def _choices(self, message: Message, typing: Typing) -> Sequence[Choice]:
        entry, view = self._table.commands.get(typing.command), await self._gate.view(message.address)
        if entry is None or not isinstance(entry.route, Command) or not view.admits(message):
            return []
        if not view.may(entry.plugin, entry.route.name, message):
            return []
        completion = entry.route.completions.get(typing.option)
        if completion is None:
            return matching(_choices_of(entry.route, typing.option), typing.text)
        settings, message = self._gate.settings(entry.plugin, view, message.address), (await self._readers.settled(message, view))[0]
        try:
            with reader(self._readers.of(message, entry.plugin)):
                async with asyncio.timeout(PATIENCE):
                    found = await completion(Completing(typing.option, typing.text, typing.options, settings, message))
        except Exception as error:  # whoever types needs no help to go on
            log.warning("a completion failed", plugin=entry.plugin, command=typing.command, fault=repr(error))
            return []
        return [one if isinstance(one, Choice) else Choice(one, one) for one in found][:MOST_CHOICES]


def _choices_of(command: Command, name: str) -> Iterable[str]:
    return (str(choice) for option in options(command.args) if option.name == name for choice in option.choices)


def matching(words: Iterable[str], text: str) -> list[Choice]:
    """Those that begin with the text, then those that have it anywhere, whatever its case."""
    wanted = text.strip().casefold()
    found = [word for word in words if wanted in word.casefold()]
    return [Choice(word, word) for word in sorted(found, key=lambda word: not word.casefold().startswith(wanted))][:MOST_CHOICES]
