"""The chat platforms that have a token; the libraries of the others are not imported. What speaks to them: `bot/connectors/`."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bot.config import Config
from bot.connector import Connector
from bot.store.hearsay import Hearsay
from bot.tables import TelegramTable
from bot.translation import Translation

log = structlog.get_logger(__name__)


def platforms(config: Config, hearsay: Hearsay, language: Callable[[str], Translation]) -> list[Connector]:
    """A connector for each token; `hearsay` keeps what a platform tells but never lists, `language` finds texts by a platform's tag."""
    found: list[Connector] = []
    for name, table in (("discord", config.connectors.discord), ("telegram", config.connectors.telegram)):
        if file := table.unwritten:
            log.warning("not connected: the file for its token is empty", platform=name, file=str(file))
    if config.connectors.discord.token is not None:
        from bot.connectors.discord.access import Access
        from bot.connectors.discord.connector import DiscordConnector

        found.append(DiscordConnector(Access.of(config.connectors.discord), language=language))
    if config.connectors.telegram.token is not None:
        found.append(_telegram(config.connectors.telegram, hearsay))
    return found


def _telegram(table: TelegramTable, hearsay: Hearsay) -> Connector:
    from bot.connectors.telegram import Account, Hook, TelegramConnector

    assert table.token is not None
    token, proxy = table.token.get_secret_value(), table.proxy.get_secret_value() if table.proxy else None
    hook = Hook.of(token, table.webhook_url, table.webhook_host, table.webhook_port) if table.webhook_url else None
    account = Account(token, table.api_url, table.file_url, proxy, patience=table.late_after, hook=hook)
    return TelegramConnector(account, hearsay)
