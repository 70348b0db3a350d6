"""For what an admin chooses: the server, the channel or the thread. What is chosen there: `switches.py`, `forms.py`."""

from __future__ import annotations

from collections.abc import Mapping

from bot import Address, Chosen, Origin, Where, later, tr, translated

NAMES: Mapping[Where, str] = {
    "server": later("this server"),
    "channel": later("this channel"),
    "thread": later("this thread"),
}

ORIGINS: Mapping[Origin, str] = {
    "plugin": later("as it came"),
    "operator": later("by whoever runs me"),
    "server": later("by this server"),
    "channel": later("by this channel"),
    "thread": later("by this thread"),
}


def named(where: Where) -> str:
    """What people call it."""
    return translated(NAMES[where])


def decided(origin: Origin) -> str:
    """Who has decided, in words."""
    return translated(ORIGINS[origin])


def places(address: Address) -> list[Where]:
    """What something can be chosen for here, the widest first; a server without channels is one channel."""
    found: list[Where] = ["server"]
    if not address.direct and address.channel != "main":
        found.append("channel")
    if address.thread:
        found.append("thread")
    return found


def known(chosen: Chosen) -> str:
    """What people call a plugin."""
    return tr("the bot itself") if chosen.plugin == "hobnob" else chosen.plugin
