"""The pages of the dashboard, one a module, and the order in which they are offered. The room's page is in `bot/web/room.py`."""

from __future__ import annotations

from bot.translation import later
from bot.web.desk import Link
from bot.web.visitors import OPERATOR, START

OPERATORS = (
    Link(OPERATOR, "chart", later("Overview")),
    Link(f"{OPERATOR}/queue", "queue", later("Queue")),
    Link(f"{OPERATOR}/models", "model", later("Models")),
    Link(f"{OPERATOR}/plugins", "plugin", later("Plugins")),
    Link(f"{OPERATOR}/servers", "people", later("Servers")),
    Link(f"{OPERATOR}/logs", "list", later("Logs")),
    Link(f"{OPERATOR}/traces", "path", later("Traces")),
    Link(f"{OPERATOR}/backups", "box", later("Backups")),
    Link(f"{OPERATOR}/access", "key", later("Access")),
    Link(START, "wand", later("Set up")),
    Link("/", "room", later("Rooms")),
)
"""What whoever runs the bot may open."""
