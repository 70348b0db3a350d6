"""The chat platforms we speak, one module each. What a connector is: `bot/connector.py`."""
