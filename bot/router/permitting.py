"""Changes who may do what in a server, for its admins. What is decided by it: `permits.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from bot.choices import LEVELS, Deed, Level, Where, said_of
from bot.errors import BadArguments, Refused
from bot.messages import Message
from bot.permissions import Grant, Held, Permit
from bot.router.gate import View
from bot.router.permits import ONE
from bot.router.picking import Picking
from bot.router.rewriting import Keep, Rewriting, deed, place_of
from bot.store.servers import Server, Servers
from bot.translation import Phrase, later, tr

DONE: Mapping[bool | None, str] = {
    True: later("{who} may use {what}"),
    False: later("{who} may not use {what}"),
    None: later("{who}, {what}: taken back"),
}


class Permitting:
    """Reads and changes grants and levels."""

    def __init__(self, servers: Servers, rewriting: Rewriting, picking: Picking) -> None:
        self._servers = servers
        self._picking = picking
        self._rewriting = rewriting

    async def held(self, message: Message) -> Held:
        """What holds where the message was said."""
        return await self._named(held(await self._servers.get(message.address.tenant), message), message)

    async def permit(self, message: Message, permit: Permit, keep: Keep) -> Held:
        """Changes it. Raises BadArguments for a place that is not there."""

        async def edit(server: Server) -> tuple[Server, bytes, Deed]:
            if permit.level:
                changed, place, what = _ranked(server, permit)
            else:
                changed, place, what = _granted(server, await self._there(server, permit, message), message)
            return changed, held(changed, message).model_dump_json().encode(), deed(message, place, "", what, who=permit.who)

        kept = Held.model_validate_json(await self._rewriting.rewrite(message, tr("change who may do what"), edit, keep))
        return await self._named(kept, message)

    async def _there(self, server: Server, permit: Permit, message: Message) -> Permit:
        """With the place as choices know it: one that has any may be gone from the platform, and they can be taken back still."""
        if not permit.place or permit.place in server.channels:
            return permit
        place, _ = await self._picking.find("channel", permit.place, message)
        return permit.model_copy(update={"place": place})

    async def _named(self, held: Held, message: Message) -> Held:
        """With what people call the other places."""
        places = await self._picking.known(message, "channel") if held.elsewhere else {}
        return held.model_copy(update={"places": {place: places[place] for place, _ in held.elsewhere if place in places}})


def held(server: Server, message: Message) -> Held:
    """What holds there."""
    layers = [(cast("Where", origin), choices) for origin, choices in View(server, {}).layers(message.address)]
    found = [(where, grant) for where, choices in layers for grant in choices.grants]
    here = {message.address.channel, message.address.topic}
    others = [(place, grant) for place, choices in server.channels.items() if place not in here for grant in choices.grants]
    return Held(grants=tuple(found), elsewhere=tuple(others), levels=server.levels, names=server.names)


def _ranked(server: Server, permit: Permit) -> tuple[Server, str, Phrase]:
    """With a level for a role or a person, or none."""
    if permit.who.partition(":")[0] not in ("role", "person"):
        raise BadArguments(tr("Only a role or a person can be made something here."))
    if permit.level not in (*LEVELS[:-1], "none"):
        raise BadArguments(tr("Somebody is {levels} or none of these here; owners say /claim.", levels=", ".join(LEVELS[:-1])))
    levels = {who: level for who, level in server.levels.items() if who != permit.who}
    names = {who: name for who, name in server.names.items() if who != permit.who}
    if permit.level == "none":
        said = said_of(later("{who} is what the platform says"), permit.who, permit.name)
    else:
        level = levels[permit.who] = cast("Level", permit.level)
        names[permit.who] = permit.name
        said = said_of(later("{who} is {level}"), permit.who, permit.name, {"level": ONE[level]})
    return server.model_copy(update={"levels": levels, "names": names}), "", said


def _granted(server: Server, permit: Permit, message: Message) -> tuple[Server, str, Phrase]:
    """With a grant for this place, or none."""
    if permit.allowed is False and permit.who == f"person:{message.sender.id}":
        raise Refused(tr("You cannot take something from yourself."))
    place = permit.place or place_of(message.address, permit.where)
    layer = server.layer(place)
    grants = tuple(one for one in layer.grants if (one.who, one.what) != (permit.who, permit.what))
    if permit.allowed is not None:
        grants += (Grant(who=permit.who, what=permit.what, allowed=permit.allowed, name=permit.name),)
    said = said_of(DONE[permit.allowed], permit.who, permit.name, what=permit.what)
    return server.having(place, layer.model_copy(update={"grants": grants})), place, said
