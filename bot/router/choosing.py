"""What a plugin sees of a server's choices and how it changes them, for the person who asks. What holds where: `gate.py`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.choices import CORE, Change, Changed, Chosen, Deed, Origin, Setting, Where
from bot.choosable import among, titled
from bot.connector import Connector
from bot.errors import BadArguments, Refused, UserError
from bot.messages import Address, Message
from bot.plugins import Loaded, Plugins
from bot.router.arguments import wrong
from bot.router.core import core
from bot.router.gate import Gate, View
from bot.router.objections import objections
from bot.router.picking import Picking
from bot.router.rewriting import Keep, Rewriting, deed, must_be_admin, place_of
from bot.router.working import Work
from bot.shapes import Shape
from bot.store.digests import digest
from bot.store.servers import Choices, Server, Servers
from bot.store.tickets import Body
from bot.store.troubles import Troubles
from bot.translation import Phrase, Translation, later, reading, tr, translated

RECENT = 20
"""Entries of the log in which the last change of a plugin is looked for."""

GONE = later("This plugin is not installed any more. What was chosen for it is kept.")

DORMANT = later("{plugin} is not installed here. What was chosen for it is kept until it is back, or until you reset it.")

SWITCHED: Mapping[bool | None, str] = {True: later("switched on"), False: later("switched off"), None: later("switch given back")}

LONGEST = 60
"""Characters of a value that the audit log repeats."""

chosen_json: TypeAdapter[Chosen] = TypeAdapter(Chosen)


class Choosing:
    """Reads choices anew, and changes them for those who may."""

    def __init__(
        self, servers: Servers, gate: Gate, plugins: Plugins, work: Work, rewriting: Rewriting, troubles: Troubles, picking: Picking
    ) -> None:
        self._servers = servers
        self._troubles = troubles
        self._picking = picking
        self._gate = gate
        self._work = work
        self._rewriting = rewriting
        self._plugins = {**plugins.loaded, CORE: core()}
        self._out = plugins.out
        self._locales = plugins.locales

    async def chosen(self, asking: str, plugin: str | None, message: Message) -> list[Chosen]:
        """What holds for a plugin where somebody asks, "" for the one that does, None for all that it may see."""
        address = message.address
        server = await self._servers.get(address.tenant)
        names = [plugin or asking] if plugin is not None or not self._administers(asking) else self._all(server)
        found = [self._one(server, self._known(server, self._allowed(asking, name)), address) for name in names]
        troubles = await self._troubles.all()
        told = (replace(one, trouble=str(troubles[one.plugin].what)) if one.plugin in troubles else one for one in found)
        return [await self._labelled(one, message) for one in told]

    def _all(self, server: Server) -> list[str]:
        return [*self._plugins, *self._out, *(name for name in self._dormant(server) if name not in self._out)]

    async def _labelled(self, one: Chosen, message: Message) -> Chosen:
        """With what people call the channels and roles that were chosen, as far as who asks may see them."""
        shape = Shape(one.shape)
        kinds = {each.name: kind for each in one.settings if one.installed and each.value and (kind := shape.picks(each.name))}
        names = {kind: await self._picking.known(message, kind) for kind in set(kinds.values())}
        labels = {each.name: names[kinds[each.name]].get(str(each.value), "") for each in one.settings if each.name in kinds}
        return replace(one, settings=tuple(replace(each, label=labels.get(each.name, "")) for each in one.settings)) if kinds else one

    def _known(self, server: Server, plugin: str) -> str:
        if plugin not in self._all(server):
            raise UserError(tr("There is no plugin {plugin} here.", plugin=plugin))
        return plugin

    def must_administer(self, asking: str) -> None:
        """Raises Refused for a plugin without that right."""
        if not self._administers(asking):
            raise Refused(f'The plugin {asking} may not do that: its manifest says no `rights = ["administration"]`.')

    def _administers(self, asking: str) -> bool:
        return "administration" in self._plugins[asking].manifest.rights

    def _dormant(self, server: Server) -> list[str]:
        layers = [server.choices, *server.channels.values()]
        return sorted({name for one in layers for name in (*one.plugins, *one.settings) if name not in self._plugins})

    def _allowed(self, asking: str, plugin: str) -> str:
        if plugin != asking and not self._administers(asking):
            raise Refused(f"The plugin {asking} may see and change its own settings alone.")
        return plugin

    def _one(self, server: Server, plugin: str, address: Address) -> Chosen:
        loaded, seen = self._plugins.get(plugin), _seen(server, plugin, address)
        view = self._gate.of(server)
        if loaded is None:
            kept = {
                name: Setting(name, value, where)
                for where, layer in reversed(view.layers(address))
                for name, value in layer.of(plugin).items()
            }
            told = "" if plugin in self._out else translated(GONE)
            return Chosen(plugin, told, False, "operator", True, tuple(kept.values()), {}, seen, installed=False)
        on, switch = view.switch(plugin, address)
        settings = tuple(_settings(view, loaded, address))
        words = self._locales.of(reading().tag, plugin)
        shape = _shape(loaded, words)
        if plugin == CORE:
            shape["properties"]["language"]["enum"] = list(self._locales.tags)
        return Chosen(plugin, words.translated(loaded.manifest.summary), on, switch, loaded.fixed, settings, shape, seen)

    async def under_way(self, asking: str, message: Message, plugin: str, where: Where) -> list[str]:
        """The tickets of a plugin here, that of the message left out."""
        self._allowed(asking, plugin)
        must_be_admin(self._gate.of(await self._servers.get(message.address.tenant)), message, tr("decide about requests of others"))
        place = place_of(message.address, where)
        found = await self._work.under_way(message.address.tenant)
        return [id for id, body in found.items() if body.plugin == plugin and body.message.event != message.event and _within(place, body)]

    async def stop(self, asking: str, message: Message, plugin: str, where: Where) -> int:
        """Cancels them."""
        tickets = await self.under_way(asking, message, plugin, where)
        for ticket in tickets:
            await self._work.cancel(ticket)
        return len(tickets)

    async def deeds(self, asking: str, message: Message, most: int) -> list[Deed]:
        """The newest entries of the audit log."""
        must_be_admin(self._gate.of(await self._servers.get(message.address.tenant)), message, tr("read what admins have changed here"))
        found = await self._servers.deeds(message.address.tenant, most)
        return found if self._administers(asking) else [one for one in found if one.plugin == asking]

    async def choose(self, asking: str, message: Message, change: Change, connector: Connector, keep: Keep) -> Chosen:
        """Changes what the newest choices are, unless somebody changed what the person saw."""
        plugin, address = self._allowed(asking, change.plugin or asking), message.address

        async def edit(server: Server) -> tuple[Server, bytes, Deed]:
            before = self._one(server, self._known(server, plugin), address)
            if change.seen not in ("", before.seen):
                raise Changed(await self._meanwhile(plugin, address), before)
            place, given = place_of(address, change.where), await self._picked(before, change.settings, message)
            changed = self._changed(server, plugin, place, change.model_copy(update={"settings": given}), address)
            warnings = await self._warnings(changed, plugin, given, connector, address)
            after = replace(self._one(changed, plugin, address), warnings=warnings)
            what = _what(server.layer(place), changed.layer(place), plugin)
            return changed, chosen_json.dump_json(after), deed(message, place, plugin, *what)

        return chosen_json.validate_json(await self._rewriting.rewrite(message, tr("change its settings"), edit, keep))

    async def _picked(self, before: Chosen, given: Mapping[str, Any], message: Message) -> Mapping[str, Any]:
        """The settings with ids of what is there; no id that somebody types leads out of the server, but what stands there may stay."""
        shape = Shape(before.shape)
        said = {name: str(value) for name, value in given.items() if name in shape.names and isinstance(value, str | int | float)}
        stands = {each.name: str(each.value) for each in before.settings if each.value is not None}
        kinds = {name: kind for name, value in said.items() if (kind := shape.picks(name)) and value != stands.get(name)}
        return await self._picking.picked(kinds, given, message)

    async def refusal(self, message: Message, plugin: str, command: str) -> str:
        """ "" when the person may, else what is missing."""
        return (await self._gate.view(message.address)).refusal(plugin, command, message)

    async def _warnings(self, server: Server, plugin: str, names: Iterable[str], connector: Connector, address: Address) -> tuple[str, ...]:
        """What the platform withholds that these settings need; they are saved all the same, since it may be given tomorrow."""
        loaded = self._plugins.get(plugin)
        if loaded is None:
            return ()
        holding = loaded.settings.model_validate(self._gate.of(server).settings(plugin, address))
        these = loaded.settings.model_construct(**{name: getattr(holding, name) for name in names})
        return tuple(await objections(connector, address, these))

    async def _meanwhile(self, plugin: str, address: Address) -> str:
        deeds = [one for one in await self._servers.deeds(address.tenant, RECENT) if one.plugin == plugin]
        if deeds:
            said = tr("{person} has changed {plugin} meanwhile ({what}).", person=deeds[0].name, plugin=plugin, what=deeds[0].told)
        else:
            said = tr("{plugin} has been changed meanwhile.", plugin=plugin)
        return f"{said} {tr('Nothing was saved: look at it as it is now, and confirm.')}"

    def _changed(self, server: Server, plugin: str, place: str, change: Change, address: Address) -> Server:
        loaded, layer = self._plugins.get(plugin), server.layer(place)
        if loaded is None:  # what a plugin that is gone had can be forgotten, and nothing else
            if change.settings or change.on not in (None, "reset"):
                raise Refused(translated(DORMANT, plugin=plugin))
            return server.having(place, layer.having(plugin, {}).switched(plugin, "reset"))
        if change.on is not None and loaded.fixed:
            raise Refused(tr("{plugin} cannot be switched by a server. Whoever runs this bot decides that.", plugin=plugin))
        settings = {} if change.everything else layer.of(plugin)
        settings = {name: value for name, value in settings.items() if name not in change.settings}
        settings |= _valid(loaded, self._below(server, loaded, place, address), settings, change.settings, layer.of(plugin))
        layer = layer.having(plugin, settings)
        if change.everything or change.on is not None:
            layer = layer.switched(plugin, "reset" if change.on is None else change.on)
        return server.having(place, layer)

    def _below(self, server: Server, loaded: Loaded, place: str, address: Address) -> dict[str, Any]:
        """What holds where nothing is chosen for this place: a choice must be sound together with it."""
        wider = [] if not place else [server.choices]
        if place and place == address.topic:
            wider.append(server.layer(address.channel))
        found = loaded.begins(address.connector)
        for layer in wider:
            found |= layer.of(loaded.name)
        return found


def _shape(loaded: Loaded, words: Translation) -> dict[str, Any]:
    """The JSON schema of settings, with titles and descriptions in the reader's language."""
    shape = loaded.settings.model_json_schema()
    for name, part in shape.get("properties", {}).items():
        part |= {"enum": list(there)} if (there := among(loaded.settings, name, loaded.config)) else {}
        part |= {word: words.translated(part[word]) for word in ("title", "description") if word in part}
    return shape


def _settings(view: View, loaded: Loaded, address: Address) -> Iterable[Setting]:
    effective = view.settings(loaded.name, address)
    for name in loaded.settings.model_fields:
        locked = name in loaded.locked
        origin: Origin = "operator" if name in loaded.defaults else "plugin"
        if not locked:
            origin = next((where for where, layer in view.layers(address) if name in layer.of(loaded.name)), origin)
        yield Setting(name, effective[name], origin, locked)


def _within(place: str, body: Body) -> bool:
    address = body.message.address
    return place in ("", address.channel, address.topic)


def _seen(server: Server, plugin: str, address: Address) -> str:
    """Stands for everything that is chosen for a plugin and concerns this place."""
    layers = [server.choices, *(server.layer(place) for place in (address.channel, address.topic) if place)]
    return digest(json.dumps([[layer.plugins.get(plugin), layer.of(plugin)] for layer in layers], sort_keys=True))[:12]


def _valid(
    loaded: Loaded, below: Mapping[str, Any], kept: Mapping[str, Any], given: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """The given settings as JSON, those that are reset left out. Raises BadArguments for each that is wrong, Refused for locked ones."""
    known = loaded.settings.model_fields
    if unknown := [name for name in given if name not in known]:
        there = {"settings": ", ".join(unknown), "known": ", ".join(known) or tr("none")}
        raise BadArguments(tr("{plugin} has no setting {settings}. There is: {known}.", plugin=loaded.name, **there))
    if locked := [name for name in given if name in loaded.locked]:
        raise Refused(tr("{settings} cannot be changed by a server. Whoever runs this bot decides that.", settings=", ".join(locked)))
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        sound = loaded.settings.model_validate({**below, **kept, **chosen}).model_dump(mode="json")
    except ValidationError as error:
        raise BadArguments(" ".join(_fault(loaded.settings, fault) for fault in error.errors())) from None
    for name, value in chosen.items():
        if (one_of := among(loaded.settings, name, loaded.config)) and value not in ("", *one_of, before.get(name), below.get(name)):
            said = tr("there is no “{value}” here. There is: {known}.", value=_short(value), known=", ".join(one_of))
            raise BadArguments(f"{titled(loaded.settings, name)}: {said}")
    return {name: sound[name] for name in chosen}


def _fault(model: type[BaseModel], fault: Any) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else ""
    return f"{titled(model, name)}: {wrong(fault)}." if name else f"{wrong(fault)}."


def _what(before: Choices, after: Choices, plugin: str) -> list[Phrase]:
    """What a change changed."""
    old, new = before.of(plugin), after.of(plugin)
    said = [_differing(name, old.get(name), new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    was, is_ = before.plugins.get(plugin), after.plugins.get(plugin)
    if was != is_:
        said.append(Phrase(SWITCHED[is_]))
    return said or [Phrase(later("saved as it was"))]


def _differing(name: str, old: Any, new: Any) -> Phrase:
    sides = {"old": old, "new": new}
    values = {side: _short(value) for side, value in sides.items() if value is not None}
    none = {side: later("not chosen") for side, value in sides.items() if value is None}
    return Phrase(later("{name}: {old} → {new}"), {**values, "name": name}, none)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
