"""What people pick of a server, its channels, roles and people: a name becomes the id of what is there. Who lists them: connectors."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

import structlog
from pydantic import BaseModel

from bot.connector import Connector
from bot.errors import BadArguments, ConnectorError
from bot.forms import PICKED, Form, Option, Picked, options
from bot.knowing import Hiding, Knowing, Searching
from bot.messages import Address, Message
from bot.router.arguments import shorten
from bot.translation import later, tr, translated

HERE = "here"
"""What people say for the channel or thread where they are."""

MENTION = re.compile(r"<(?:#|@&|@!?)(?P<id>\d+)>")

MOST_NAMED = 30
"""Names that a fault repeats."""

NONE: Mapping[Picked, str] = {
    "channel": later("I know no channel {name} here. Say `here` in the channel or thread that you mean{others}."),
    "role": later("I know no role {name} here{others}."),
    "person": later("I know nobody here who is called {name}{others}."),
    "mentionable": later("I know no role and nobody here who is called {name}{others}."),
}

log = structlog.get_logger(__name__)


class Picking:
    """Asks connectors what there is."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self._connectors = connectors

    async def known(self, message: Message, kind: Picked) -> dict[str, str]:
        """Names by id, of all that the platform tells of and shows to whoever asks."""
        return await self._told(message, kind, lambda connector: self._listed(connector, message, kind))

    async def _told(self, message: Message, kind: Picked, ask: Callable[[Connector], Awaitable[Mapping[str, str]]]) -> dict[str, str]:
        """What a platform answers; nothing where it cannot be asked."""
        connector = self._connectors.get(message.address.connector)
        try:
            return {} if connector is None else dict(await ask(connector))
        except ConnectorError as error:
            log.warning("what a server has cannot be listed", server=message.address.tenant, kind=kind, fault=str(error))
            return {}

    async def _listed(self, connector: Connector, message: Message, kind: Picked) -> Mapping[str, str]:
        if not isinstance(connector, Knowing):
            return {}
        if kind == "mentionable":
            return _mentionable(await connector.known(message.address, "role"), await connector.known(message.address, "person"))
        found = await connector.known(message.address, kind)
        if kind != "channel" or not isinstance(connector, Hiding):
            return found
        seen = await connector.seen(message, list(found))
        return {place: name for place, name in found.items() if place in seen}

    async def _searched(self, connector: Connector, message: Message, kind: Picked, said: str) -> Mapping[str, str]:
        """Those whom a platform names that lists nobody."""
        if kind not in ("person", "mentionable") or not isinstance(connector, Searching):
            return {}
        people = await connector.search(message.address, said.lstrip("@"))
        return people if kind == "person" else _mentionable({}, people)

    async def offered(self, form: Form, message: Message) -> Form:
        """The form with all that can be picked there, where the platform has no menus of its own for that."""
        if self._menus(message.address):
            return form
        return replace(form, inputs=tuple([await self._offered(one, message) for one in form.inputs]))

    def _menus(self, address: Address) -> bool:
        """Whether the platform has its own, which show to each what they may see; nobody else is told what there is."""
        connector = self._connectors.get(address.connector)
        return isinstance(connector, Knowing) and connector.picks

    async def _offered(self, option: Option, message: Message) -> Option:
        if option.kind not in PICKED:
            return option
        known = await self.known(message, cast("Picked", option.kind))
        return replace(option, choices=tuple(known), labels=known)

    async def picked(self, kinds: Mapping[str, Picked], given: Mapping[str, Any], message: Message) -> dict[str, Any]:
        """What was given, with ids in the place of names. Raises BadArguments for what is not there."""
        said = {name: kind for name, kind in kinds.items() if given.get(name)}
        return {**given, **{name: (await self.find(kind, str(given[name]), message))[0] for name, kind in said.items()}}

    async def find(self, kind: Picked, said: str, message: Message) -> tuple[str, str]:
        """The id and the name of what somebody calls so, by its name, its id or a mention. Raises BadArguments."""
        if kind == "channel" and said.strip().casefold() in (HERE, tr("here")):
            said = message.address.place
        known = {**_near(message, kind), **await self.known(message, kind)}
        found = _meant(said.strip(), known)
        if not found:
            known |= await self._told(message, kind, lambda connector: self._searched(connector, message, kind, said.strip()))
            found = _meant(said.strip(), known)
        if len(found) == 1:
            return found[0], known[found[0]]
        if found:
            raise BadArguments(tr("Several here are called {name}: say which, {ids}.", name=_quoted(said), ids=_listed(found)))
        there = "" if self._menus(message.address) else _listed([*dict.fromkeys(known.values())])
        raise BadArguments(translated(NONE[kind], name=_quoted(said), others=f" ({tr('there is: {known}', known=there)})" if there else ""))


def _quoted(said: str) -> str:
    return f"“{shorten(said, 60)}”"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + ("…" if len(names) > MOST_NAMED else "")


def _mentionable(roles: Mapping[str, str], people: Mapping[str, str]) -> dict[str, str]:
    return {f"role:{id}": name for id, name in roles.items()} | {f"person:{id}": name for id, name in people.items()}


def _near(message: Message, kind: Picked) -> Mapping[str, str]:
    """What the message itself tells of: Discord names whom somebody picked, and lists nobody."""
    people = {person.id: person.name for person in (message.sender, *message.mentions) if person.id != message.me}
    match kind:
        case "channel":
            return {message.address.place: HERE}
        case "role":
            return message.roles
        case "person":
            return people
        case "mentionable":
            return _mentionable(message.roles, people)


def _meant(said: str, known: Mapping[str, str]) -> list[str]:
    """The ids that may be meant: one that is said as it is, or mentioned, goes before names."""
    mention = MENTION.fullmatch(said)
    if said in known and not mention:
        return [said]
    ids = [id for id in known if mention and re.split("[/:]", id)[-1] == mention["id"]]
    name = said.lstrip("#@").casefold()
    return ids or [id for id, one in known.items() if one.lstrip("#@").casefold() == name]


def kinds_of(inputs: tuple[Option, ...]) -> dict[str, Picked]:
    """Which of these are picked."""
    return {one.name: cast("Picked", one.kind) for one in inputs if one.kind in PICKED}


@cache
def picked_of(model: type[BaseModel]) -> Mapping[str, Picked]:
    """Which fields of a model are."""
    return kinds_of(tuple(options(model)))
