"""Which commands somebody may use where, in their language. How they are shown: a plugin's affair."""

from __future__ import annotations

from dataclasses import replace

from bot.forms import options
from bot.locales import Locales
from bot.messages import Message
from bot.permissions import Usable
from bot.router.arguments import arguments
from bot.router.gate import Gate
from bot.router.table import Entry, Table
from bot.routes import Command


class Helping:
    """Looks at the table with the eyes of one person."""

    def __init__(self, table: Table, gate: Gate, locales: Locales) -> None:
        self._table = table
        self._gate = gate
        self._locales = locales

    async def commands(self, message: Message) -> list[Usable]:
        """Exactly those that would run if the sender of the message used them there, by plugin and name."""
        view = await self._gate.view(message.address)
        found = [
            self._usable(entry, message.language) for name, entry in self._table.commands.items() if view.may(entry.plugin, name, message)
        ]
        return sorted(found, key=lambda one: (one.plugin, one.name))

    def _usable(self, entry: Entry, language: str) -> Usable:
        command = entry.route
        assert isinstance(command, Command)
        words = self._locales.of(language, entry.plugin)
        said, example = words.translated(command.description), words.translated(command.example)
        inputs = tuple(replace(one, description=words.translated(one.description)) for one in options(command.args))
        return Usable(entry.plugin, command.name, said, arguments(command.args), example, inputs)
