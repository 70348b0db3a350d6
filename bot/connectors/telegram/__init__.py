"""Telegram over its Bot API. What a connector is: `bot/connector.py`."""

from bot.connectors.telegram.connector import Account, TelegramConnector
from bot.connectors.telegram.webhooks import Hook

__all__ = ["Account", "Hook", "TelegramConnector"]
