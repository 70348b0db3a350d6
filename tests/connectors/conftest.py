"""The platforms that connectors are tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.connectors.telegram import TelegramConnector
from tests.connectors.on_telegram import connected
from tests.wire.telegram_server import Telegram


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with Telegram().serving() as platform:
        yield platform


@pytest.fixture
async def on_telegram(telegram: Telegram) -> AsyncIterator[TelegramConnector]:
    made = connected(telegram)
    yield made
    await made.close()
