"""Decides whether somebody may do something here, by what was granted. What is on at all: `gate.py`. Who changes it: `permitting.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.choices import Level, reaches
from bot.messages import Message
from bot.permissions import Grant
from bot.translation import later, tr, translated

WHO = ("everyone", "level", "role", "person")
"""Kinds of grantees, the narrowest last: of the grants for one place theirs holds, then that for the narrower thing, then the denial."""

ONE: Mapping[Level, str] = {
    "guest": later("guest"),
    "member": later("member"),
    "moderator": later("moderator"),
    "admin": later("admin"),
    "owner": later("owner"),
}

MANY: Mapping[Level, str] = {
    "guest": later("guests"),
    "member": later("members"),
    "moderator": later("moderators"),
    "admin": later("admins"),
    "owner": later("owners"),
}

LACKING = later("{what} is for the {least} of this server, and you are a {level} here. An admin can allow it to you, with /permissions.")


def level(message: Message, levels: Mapping[str, Level]) -> Level:
    """What the sender is here: by this server's word for the person, else the highest for a role and by the platform."""
    if (said := levels.get(f"person:{message.sender.id}")) is not None:
        return said
    found: Level = "guest" if message.guest else "member"
    if message.manages or message.address.direct:
        found = "admin"
    elif message.moderates:
        found = "moderator"
    for role in message.roles:
        said = levels.get(f"role:{role}")
        found = said if said is not None and reaches(said, found) else found
    return found


def decided(layers: Iterable[Sequence[Grant]], message: Message, rank: Level, plugin: str, command: str) -> bool | None:
    """What the grants say of it, those of the narrowest place first; None where they say nothing."""
    mine = {"everyone", f"level:{rank}", f"person:{message.sender.id}", *(f"role:{role}" for role in message.roles)}
    things = ["*", plugin, f"/{command}"] if command else ["*", plugin]
    for grants in layers:
        found = [grant for grant in grants if grant.who in mine and grant.what in things]
        if found:
            return max(
                found, key=lambda grant: (WHO.index(grant.who.partition(":")[0]), things.index(grant.what), not grant.allowed)
            ).allowed
    return None


def refusal(rank: Level, least: Level, what: str) -> str:
    """What is missing, and who can grant it."""
    if reaches(rank, least):
        return tr("You may not use {what} here. An admin of this server can allow it, with /permissions.", what=what)
    if least == "owner":
        return tr("{what} is for the owners of this bot, and you are a {level} here.", what=what, level=named(rank))
    return translated(LACKING, what=what, least=translated(MANY[least]), level=named(rank))


def named(level: Level) -> str:
    """What people call somebody of this level."""
    return translated(ONE[level])
