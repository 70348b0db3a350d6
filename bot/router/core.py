"""The core's own settings, as servers see them beside those of plugins. What holds where: `gate.py`."""

from __future__ import annotations

from pydantic import Field

from bot.choices import CORE
from bot.discovery import Manifest
from bot.plugins import Loaded
from bot.tables import Talking


class Core(Talking):
    """When the bot is spoken to, and what it shows meanwhile."""

    quiet: bool = False
    """No status lines: no places in line, no progress and no previews, only answers and what somebody must decide."""

    log: str = Field(default="", max_length=200, json_schema_extra={"picks": "channel"})
    """The channel or thread in which I tell what admins change here. Empty: nowhere, only /audit shows it."""


def core() -> Loaded:
    """The core as if it were a plugin that nobody can switch."""
    manifest = Manifest(
        summary="When I am spoken to, and what I show while you wait.", api=1, licence="Apache-2.0", rights=frozenset({"administration"})
    )
    return Loaded(CORE, object(), manifest, Core, switchable=False)
