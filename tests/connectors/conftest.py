"""The platforms that connectors are tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.connectors.telegram import TelegramConnector
from tests.connectors.on_telegram import connected
from tests.wire.telegram_server import Telegram
from tests.wire.telegram_spec import faults


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """All that goes over its wire is held against the published description, where that is at hand."""
    async with Telegram().serving() as platform:
        yield platform
    assert not faults(platform)


@pytest.fixture
async def on_telegram(telegram: Telegram) -> AsyncIterator[TelegramConnector]:
    made = connected(telegram)
    yield made
    await made.close()
