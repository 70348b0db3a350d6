"""The chat platforms that have a token; the libraries of the others are not imported. What speaks to them: `bot/connectors/`."""

from __future__ import annotations

from bot.config import Config
from bot.connector import Connector
from bot.errors import ConfigError


def platforms(config: Config) -> list[Connector]:
    """A connector for each token. Raises ConfigError for a platform that this version cannot speak to."""
    faults = [
        config.source.fault(("connectors", name, "token"), "this version cannot speak to this platform yet: remove the token")
        for name in type(config.connectors).model_fields
        if getattr(config.connectors, name).token is not None
    ]
    if faults:
        raise ConfigError(*faults)
    return []
