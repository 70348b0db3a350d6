"""All routes that the plugins declared, ready to be looked up. Which of them a message reaches: `dispatch.py`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from bot.choices import Level
from bot.errors import PluginError
from bot.routes import Action, Command, Listener, Reaction, Route, Schedule


@dataclass(frozen=True, slots=True)
class Entry:
    """A route and the plugin that declared it; `id` is unique within the plugin."""

    plugin: str
    route: Route

    @property
    def id(self) -> str:
        """Kind and name: the route as tickets know it."""
        return f"{type(self.route).__name__.lower()}:{self.route.name}"


@dataclass(frozen=True, slots=True)
class Table:
    """Routes by what triggers them, in the order of their declaration."""

    commands: dict[str, Entry] = field(default_factory=dict)
    listeners: list[Entry] = field(default_factory=list)
    reactions: dict[str, list[Entry]] = field(default_factory=dict)
    known: dict[tuple[str, str], Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, declared: Iterable[tuple[str, Route]], own: Sequence[Entry] = ()) -> Table:
        """The table of (plugin, route) pairs and the core's `own`, of which commands match. Raises PluginError for a taken name."""
        table = cls(known={(entry.plugin, entry.id): entry for entry in own})
        table.commands.update((entry.route.name, entry) for entry in own if isinstance(entry.route, Command))
        for plugin, route in declared:
            table._add(Entry(plugin, route))
        return table

    def _add(self, entry: Entry) -> None:
        if (entry.plugin, entry.id) in self.known:
            raise PluginError(entry.plugin, f"declares {entry.id!r} twice: give one of them another name")
        self.known[entry.plugin, entry.id] = entry
        match entry.route:
            case Command(name=name):
                self._add_command(name, entry)
            case Listener():
                self.listeners.append(entry)
            case Reaction(emoji=emoji):
                self.reactions.setdefault(emoji, []).append(entry)
            case Action() | Schedule():
                pass  # found by plugin and name

    def _add_command(self, name: str, entry: Entry) -> None:
        taken = self.commands.get(name)
        if taken is not None:
            raise PluginError(entry.plugin, f"declares the command /{name}, which plugin {taken.plugin!r} has already: rename one")
        self.commands[name] = entry

    def least(self) -> dict[str, Level]:
        """What commands take that not everybody may use."""
        routes = {name: entry.route for name, entry in self.commands.items()}
        return {name: route.least for name, route in routes.items() if isinstance(route, Command) and route.least != "guest"}

    def everywhere(self, plugins: Container[str]) -> frozenset[str]:
        """The commands of these plugins that work also where the bot was not let in."""
        found = ((name, entry.route) for name, entry in self.commands.items() if entry.plugin in plugins)
        return frozenset(name for name, route in found if isinstance(route, Command) and route.everywhere)

    def find(self, plugin: str, id: str) -> Entry | None:
        """The route of this plugin and id, or None when the plugin no longer has it."""
        return self.known.get((plugin, id))
