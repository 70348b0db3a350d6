"""The one place that decides whether a plugin may act here, for this person, now. What a refusal looks like in a chat: `dispatch.py`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog
from pydantic import BaseModel, ValidationError

from bot.choices import CORE, Level, Origin, reaches
from bot.house import Owner, Policy
from bot.messages import Address, Message
from bot.plugins import Loaded
from bot.quotas import Quota
from bot.router import permits
from bot.router.terms import Terms
from bot.store.servers import Choices, Server
from bot.tables import Talking
from bot.translation import tr

MOST_CACHED = 20_000
"""Servers whose choices are kept in memory; a change is found by its version, not by expiry."""

Where = tuple[tuple[Origin, str], ...]
"""The thread and the channel, as far as something is chosen for them."""

log = structlog.get_logger(__name__)


class ServerSource(Protocol):
    """Where choices come from."""

    async def get(self, tenant: str) -> Server:
        """See `Servers.get`."""

    async def version(self, tenant: str) -> int:
        """See `Servers.version`."""


class View:
    """One server's choices, as of `version`, ready to be asked for each message."""

    def __init__(self, server: Server, plugins: Mapping[str, Loaded], terms: Terms = Terms()) -> None:
        self.version = server.stamp
        self.terms = terms
        self._granted = frozenset(grant.what for one in (server.choices, *server.channels.values()) for grant in one.grants)
        self.ranks = bool(self._granted or server.levels or any(one.whose.startswith("role:") for one in server.quotas))
        """Whether it matters here what somebody is, also of whoever wants nothing of the bot."""
        self._server = server
        self._plugins = plugins
        self._effective: dict[tuple[str, Where], dict[str, Any]] = {}
        self._on: dict[Where, frozenset[str]] = {}
        self._layers: dict[Where, list[tuple[Origin, Choices]]] = {}
        self._spoken: dict[tuple[Where, tuple[str, ...]], Talking] = {}

    def allows(self, plugin: str, address: Address) -> bool:
        """True when the plugin is on here: the thread's choice, else the channel's, the server's, the operator's."""
        where = self._where(address)
        on = self._on.get(where)
        if on is None:
            on = self._on[where] = self._switched(address)
        return plugin in on or plugin not in self._plugins

    def _switched(self, address: Address) -> frozenset[str]:
        """The plugins that are on where these choices hold: what the operator says, but for what was chosen."""
        on = {name for name, loaded in self._plugins.items() if loaded.enabled}
        for _, choices in reversed(self.layers(address)):
            for name, state in choices.plugins.items():
                if name in self._plugins and not self._plugins[name].fixed:
                    (on.add if state else on.discard)(name)
        return frozenset(on.difference(self._server.rules.barred.get("plugin", ())))

    def switch(self, plugin: str, address: Address) -> tuple[bool, Origin]:
        """Whether a plugin is on here, and who has decided that."""
        on, loaded = self.allows(plugin, address), self._plugins.get(plugin)
        if not self._server.rules.bars("plugin", plugin) and (loaded is None or not loaded.fixed):
            for origin, choices in self.layers(address):
                if plugin in choices.plugins:
                    return on, origin
        return on, "operator"

    def off(self, plugin: str) -> str:
        """Why a plugin does nothing here, and who can change that."""
        loaded = self._plugins.get(plugin)
        if self._server.rules.bars("plugin", plugin) or (loaded is not None and loaded.fixed):
            return tr("{plugin} is switched off by whoever runs this bot.", plugin=plugin)
        return tr("{plugin} is switched off here. An admin of this server can switch it on.", plugin=plugin)

    def shut_out(self, message: Message) -> bool:
        """Whether the sender or the server is banned by an owner."""
        rules, address = self._server.rules, message.address
        person = f"{address.connector}/{message.sender.id}"
        return bool(rules.barred) and (rules.bars("server", address.tenant) or rules.bars("person", person))

    def policy(self, address: Address) -> Policy:
        """Who may begin to use the bot there."""
        return self.terms.policy(self._server.rules, address)

    def serves(self, address: Address) -> bool:
        """Whether the bot works there at all: the server was let in, or everybody is."""
        return self._server.admitted or self.policy(address) == "open"

    def admits(self, message: Message) -> bool:
        """Whether it works there for the sender: for owners it does everywhere."""
        return self._server.admitted or self.serves(message.address) or self.level(message) == "owner"

    def unnoted(self, address: Address) -> bool:
        """Whether it came in through a door that is open now, which nobody has written down yet."""
        return not self._server.admitted and address.connector not in self.terms.private and self.policy(address) == "open"

    @property
    def quotas(self) -> Sequence[Quota]:
        """How much may be used, by the word of the server's admins."""
        return self._server.quotas

    @property
    def owners(self) -> Mapping[str, Owner]:
        """Who owns the bot, by CONNECTOR/ID."""
        return self._server.rules.owners

    @property
    def stops_models(self) -> bool:
        """Whether an owner has stopped any."""
        return bool(self._server.rules.barred.get("model"))

    def stopped(self, model: str) -> bool:
        """Whether an owner has stopped a model."""
        return self._server.rules.bars("model", model)

    def level(self, message: Message) -> Level:
        """What the sender may do here: an owner everything, others what this server or the platform says."""
        if f"{message.address.connector}/{message.sender.id}" in self._server.rules.owners:
            return "owner"
        return permits.level(message, self._server.levels)

    def refusal(self, plugin: str, command: str, message: Message) -> str:
        """ "" when the sender may use this command, or what else the plugin does, here; else what is missing, and who can grant it."""
        if plugin == CORE and not command:  # what it announces and asks owners by itself
            return ""
        least, granted = self.terms.least.get(command, "guest"), self._granted
        if least == "guest" and (not granted or not ("*" in granted or plugin in granted or f"/{command}" in granted)):
            return ""
        level = self.level(message)
        if reaches(level, "admin"):
            return "" if reaches(level, least) else permits.refusal(level, least, f"/{command}")
        layers = (choices.grants for _, choices in self.layers(message.address))
        decided = permits.decided(layers, message, level, plugin, command)
        allowed = reaches(level, least) if decided is None or least == "owner" else decided
        return "" if allowed else permits.refusal(level, least, f"/{command}" if command else plugin)

    def may(self, plugin: str, command: str, message: Message) -> bool:
        """Whether the plugin is on here, and the sender may use it, or this command of it."""
        return self.allows(plugin, message.address) and not self.refusal(plugin, command, message)

    def quiet(self, address: Address) -> bool:
        """True where no status line is wanted: the channel's choice, else the server's, else the operator's."""
        chosen = [choices.quiet for _, choices in self.layers(address) if choices.quiet is not None]
        return chosen[0] if chosen else self.terms.quiet

    def log(self, address: Address) -> str:
        """Where changes of admins are told, as `Address.place` names it, "" for nowhere: the channel's choice, else the server's."""
        return next((choices.log for _, choices in self.layers(address) if choices.log), "")

    def talking(self, address: Address) -> Talking:
        """When the bot is spoken to here: the operator's choices (all < server < channel) < the server's own < its channel's."""
        operators = self.terms.talking
        key = (self._where(address), operators.chosen(address.tenant, address.channel, address.thread) if operators.places else ())
        if key not in self._spoken:
            found = operators.of(address.tenant, address.channel, address.thread)
            for _, choices in reversed(self.layers(address)):
                found = found.model_copy(update=choices.talking.model_dump(exclude_unset=True))
            self._spoken[key] = found
        return self._spoken[key]

    def settings(self, plugin: str, address: Address) -> dict[str, Any]:
        """Effective settings: model defaults < operator's defaults < server < channel < thread; a locked key stays the operator's."""
        if plugin == CORE:
            return self.talking(address).model_dump(mode="json") | {"quiet": self.quiet(address), "log": self.log(address)}
        key = (plugin, self._where(address))
        if key not in self._effective:
            self._effective[key] = self._merge(self._plugins[plugin], address).model_dump(mode="json")
        return self._effective[key]

    def _merge(self, loaded: Loaded, address: Address) -> BaseModel:
        begins = loaded.begins(address.connector)
        merged = dict(begins)
        for _, choices in reversed(self.layers(address)):
            chosen = choices.settings.get(loaded.name, {})
            merged |= {key: value for key, value in chosen.items() if key not in loaded.locked}
        try:
            return loaded.settings.model_validate(merged)
        except ValidationError as error:  # chosen when the plugin was another version
            wrong = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]} or set(merged)
            log.warning("settings that the plugin no longer takes", plugin=loaded.name, server=address.tenant, keys=sorted(wrong))
            return loaded.settings.model_validate({**begins, **{key: merged[key] for key in merged if key not in wrong}})

    def layers(self, address: Address) -> list[tuple[Origin, Choices]]:
        """What was chosen here, the narrowest first."""
        where = self._where(address)
        if where not in self._layers:
            found = [(origin, self._server.channels[place]) for origin, place in where]
            self._layers[where] = [*found, ("server", self._server.choices)]
        return self._layers[where]

    def _where(self, address: Address) -> Where:
        """The places that have choices of their own here: the same for most channels of a server, which is what all caches live by."""
        channels = self._server.channels
        if not channels:
            return ()
        found: Where = (("channel", address.channel),) if address.channel in channels else ()
        return (("thread", topic), *found) if address.thread and (topic := address.topic) in channels else found


class Gate:
    """Keeps the views of servers that were active lately."""

    def __init__(self, source: ServerSource, plugins: Mapping[str, Loaded], terms: Terms = Terms()) -> None:
        self._source = source
        self._plugins = plugins
        self.terms = terms
        self._views: OrderedDict[str, View] = OrderedDict()

    async def view(self, address: Address) -> View:
        """The server's view, from memory when it is there; `forget` it when a ticket script says it is stale."""
        tenant = address.tenant
        found = self._views.get(tenant)
        if found is None:
            found = self._views[tenant] = self.of(await self._source.get(tenant))
            if len(self._views) > MOST_CACHED:
                self._views.popitem(last=False)
        else:
            self._views.move_to_end(tenant)
        return found

    def of(self, server: Server) -> View:
        """A view of these choices."""
        return View(server, self._plugins, self.terms)

    def settings(self, plugin: str, view: View, address: Address) -> BaseModel:
        """The plugin's effective settings there, as it declared them."""
        return self._plugins[plugin].settings.model_validate(view.settings(plugin, address))

    async def outdated(self, address: Address) -> bool:
        """True when the choices have changed since they were read; for what leaves no ticket behind, whose script would tell."""
        found = self._views.get(address.tenant)
        return found is not None and found.version != await self._source.version(address.tenant)

    def forget(self, address: Address) -> None:
        """Reads the server's choices anew next time."""
        self._views.pop(address.tenant, None)
