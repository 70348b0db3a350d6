"""For what an admin chooses: the server, the channel or the thread. What is chosen there: `switches.py`, `forms.py`."""

from __future__ import annotations

from collections.abc import Mapping

from bot import Address, Chosen, Origin, Where

NAMES: Mapping[Where, str] = {"server": "this server", "channel": "this channel", "thread": "this thread"}

ORIGINS: Mapping[Origin, str] = {
    "plugin": "as it came",
    "operator": "by whoever runs me",
    "server": "by this server",
    "channel": "by this channel",
    "thread": "by this thread",
}


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
    return "the bot itself" if chosen.plugin == "hobnob" else chosen.plugin
