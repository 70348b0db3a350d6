"""Exit codes of our processes that their supervisor understands. What it does about them: `supervise.py`."""

from __future__ import annotations

FAULT = 2
"""It cannot work until the operator changes something."""

LOST = 3
"""Its device can be used no more by this process, but by the next."""

BLOCKED = 4
"""A plugin blocked it; the next one goes on without that plugin."""

AWAY = 5
"""Its store is not there, or another process has it: what is started later may find it, so units of systemd try again."""
