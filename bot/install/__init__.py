"""Plugins from elsewhere: what is in their wheels, what stands in their way, what was pinned. The command: `bot/cli/plugging.py`."""
