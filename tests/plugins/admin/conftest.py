"""A room for the tests of administration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.store.keys import Keys
from tests.plugins.admin import hall as halls


@pytest.fixture
async def hall(redis: Redis, keys: Keys, tmp_path: Path) -> AsyncIterator[halls.Hall]:
    async with halls.hall(redis, keys, tmp_path) as made:
        yield made
