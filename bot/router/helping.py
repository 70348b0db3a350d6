"""Which commands somebody may use where, in their language. How they are shown: a plugin's affair."""

from __future__ import annotations

from bot.messages import Message
from bot.permissions import Usable
from bot.router.arguments import arguments
from bot.router.gate import Gate
from bot.router.table import Entry, Table
from bot.routes import Command


class Helping:
    """Looks at the table with the eyes of one person."""

    def __init__(self, table: Table, gate: Gate) -> None:
        self._table = table
        self._gate = gate

    async def commands(self, message: Message) -> list[Usable]:
        """Exactly those that would run if the sender of the message used them there, by plugin and name."""
        view = await self._gate.view(message.address)
        found = [_usable(entry, message.language) for name, entry in self._table.commands.items() if view.may(entry.plugin, name, message)]
        return sorted(found, key=lambda one: (one.plugin, one.name))


def _usable(entry: Entry, language: str) -> Usable:
    command = entry.route
    assert isinstance(command, Command)
    said = command.descriptions.get(language) or command.descriptions.get(_script(language)) or command.description
    return Usable(plugin=entry.plugin, name=command.name, description=said, usage=arguments(command.args), example=command.example)


def _script(language: str) -> str:
    """Telegram says `zh-hans` where Discord says `zh-CN`."""
    tag = language.lower()
    return "zh-CN" if tag in ("zh", "zh-hans", "zh-cn", "zh-sg") else language.partition("-")[0]
