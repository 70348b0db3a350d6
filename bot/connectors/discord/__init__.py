"""Discord, through discord.py: `connector.py` is the Connector, events come in by `gateway.py`, posts go out by `outgoing.py`."""
