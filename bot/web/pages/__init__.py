"""The pages of the dashboard, one a module, and the order in which they are offered. The room's page is in `bot/web/room.py`."""

from __future__ import annotations

from bot.web.desk import Link
from bot.web.visitors import OPERATOR

OPERATORS = (
    Link(OPERATOR, "chart", "Overview"),
    Link(f"{OPERATOR}/queue", "queue", "Queue"),
    Link(f"{OPERATOR}/plugins", "plugin", "Plugins"),
    Link(f"{OPERATOR}/servers", "people", "Servers"),
    Link(f"{OPERATOR}/access", "key", "Access"),
    Link("/", "room", "Rooms"),
)
"""What whoever runs the bot may open."""
