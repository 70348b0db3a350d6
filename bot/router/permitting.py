"""Changes who may do what in a server, for its admins. What is decided by it: `permits.py`."""

from __future__ import annotations

from typing import cast, get_args

from bot.choices import LEVELS, Deed, Level, Where
from bot.errors import BadArguments, Refused
from bot.messages import Message
from bot.permissions import Grant, Held, Permit
from bot.router.gate import View
from bot.router.rewriting import Keep, Rewriting, deed
from bot.store.servers import Server, Servers
from bot.translation import tr

PLACES: tuple[Where, ...] = get_args(Where)


class Permitting:
    """Reads and changes grants and levels."""

    def __init__(self, servers: Servers, rewriting: Rewriting) -> None:
        self._servers = servers
        self._rewriting = rewriting

    async def held(self, message: Message) -> Held:
        """What holds where the message was said."""
        return held(await self._servers.get(message.address.tenant), message)

    async def permit(self, message: Message, permit: Permit, keep: Keep) -> Held:
        """Changes it."""

        async def edit(server: Server) -> tuple[Server, bytes, Deed]:
            changed, what = _ranked(server, permit) if permit.level else _granted(server, permit, message)
            return changed, held(changed, message).model_dump_json().encode(), deed(message, "", "", what)

        return Held.model_validate_json(await self._rewriting.rewrite(message, tr("change who may do what"), edit, keep))


def held(server: Server, message: Message) -> Held:
    """What holds there."""
    layers = [(cast("Where", origin), choices) for origin, choices in View(server, {}).layers(message.address)]
    found = [(where, grant) for where, choices in layers for grant in choices.grants]
    return Held(grants=tuple(found), levels=server.levels, names=server.names)


def _ranked(server: Server, permit: Permit) -> tuple[Server, str]:
    """With a level for a role or a person, or none."""
    if permit.who.partition(":")[0] not in ("role", "person"):
        raise BadArguments(tr("Only a role or a person can be made something here."))
    if permit.level not in (*LEVELS[:-1], "none"):
        raise BadArguments(tr("Somebody is {levels} or none of these here; owners say /claim.", levels=", ".join(LEVELS[:-1])))
    levels = {who: level for who, level in server.levels.items() if who != permit.who}
    names = {who: name for who, name in server.names.items() if who != permit.who}
    if permit.level != "none":
        levels[permit.who] = cast("Level", permit.level)
        names[permit.who] = permit.name
    name = permit.name or permit.who
    said = (
        tr("{who} is what the platform says", who=name) if permit.level == "none" else tr("{who} is {level}", who=name, level=permit.level)
    )
    return server.model_copy(update={"levels": levels, "names": names}), said


def _granted(server: Server, permit: Permit, message: Message) -> tuple[Server, str]:
    """With a grant for this place, or none."""
    address = message.address
    if permit.where == "thread" and not address.thread:
        raise BadArguments(tr("This is no thread, so nothing can be chosen for it."))
    if permit.allowed is False and permit.who == f"person:{message.sender.id}":
        raise Refused(tr("You cannot take something from yourself."))
    place = {"server": "", "channel": address.channel, "thread": address.topic}[permit.where]
    layer = server.layer(place)
    others = tuple(one for one in layer.grants if (one.who, one.what) != (permit.who, permit.what))
    name = permit.name or permit.who
    if permit.allowed is None:
        return server.having(place, layer.model_copy(update={"grants": others})), tr(
            "{who}, {what}: taken back", who=name, what=permit.what
        )
    grant = Grant(who=permit.who, what=permit.what, allowed=permit.allowed, name=permit.name)
    word = "allowed" if permit.allowed else "denied"
    return server.having(place, layer.model_copy(update={"grants": (*others, grant)})), f"{name}, {permit.what}: {word}"
