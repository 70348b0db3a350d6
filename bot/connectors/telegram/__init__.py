"""Telegram over its Bot API. What a connector is: `bot/connector.py`."""

from bot.connectors.telegram.connector import Account, TelegramConnector

__all__ = ["Account", "TelegramConnector"]
