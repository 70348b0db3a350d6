"""The chat platforms that have a token; the libraries of the others are not imported. What speaks to them: `bot/connectors/`."""

from __future__ import annotations

from bot.config import Config
from bot.connector import Connector
from bot.errors import ConfigError
from bot.tables import TelegramTable


def platforms(config: Config) -> list[Connector]:
    """A connector for each token. Raises ConfigError for a platform that this version cannot speak to."""
    if config.connectors.discord.token is not None:
        fault = "this version cannot speak to this platform yet: remove the token"
        raise ConfigError(config.source.fault(("connectors", "discord", "token"), fault))
    return [_telegram(config.connectors.telegram)] if config.connectors.telegram.token else []


def _telegram(table: TelegramTable) -> Connector:
    from bot.connectors.telegram import Account, TelegramConnector

    assert table.token is not None
    proxy = table.proxy.get_secret_value() if table.proxy else None
    return TelegramConnector(Account(table.token.get_secret_value(), table.api_url, table.file_url, proxy))
