"""The platforms that connectors are tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import discord as library
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from redis.asyncio import Redis

from bot.connectors.telegram import TelegramConnector
from bot.store.hearsay import Hearsay
from bot.store.keys import Keys
from tests.connectors.on_telegram import connected
from tests.environments import Uninstallable, environment
from tests.house import House
from tests.wire.discord_server import Discord, serving
from tests.wire.telegram_server import Telegram
from tests.wire.telegram_spec import faults


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """All that goes over its wire is held against the published description, where that is at hand."""
    async with Telegram().serving() as platform:
        yield platform
    assert not faults(platform)


@pytest.fixture
def hearsay(redis: Redis, keys: Keys) -> Hearsay:
    return Hearsay(redis, keys)


@pytest.fixture
async def on_telegram(telegram: Telegram, hearsay: Hearsay) -> AsyncIterator[TelegramConnector]:
    made = connected(telegram, hearsay)
    yield made
    await made.close()


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Discord]:
    for owner, name in ((Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY"), (library.Asset, "BASE")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # discord.py has one Discord for a process; this puts it back
    async with serving(Discord()) as server:
        guild = server.world.guild("Lounge")
        server.world.commands[guild["id"]] = [{"id": server.world.id(), "name": "say", "type": 1}]
        yield server


def installed(package: str) -> Path:
    """The interpreter of an environment with a library that does not resolve beside ours; skips where it cannot be had."""
    try:
        return environment(package.partition("=")[0], package)
    except Uninstallable as fault:
        pytest.skip(str(fault))


@pytest.fixture(scope="session")
def hikari() -> Path:
    """A Python with hikari, which does not resolve with nicegui."""
    return installed("hikari==2.5.0")


@pytest.fixture(scope="session")
def aiogram() -> Path:
    """A Python with aiogram, which wants an older pydantic."""
    return installed("aiogram==3.31.0")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the product said, below a test that failed on it."""
    report = yield
    house = getattr(item, "funcargs", {}).get("house")
    if report.failed and isinstance(house, House):
        report.sections.append(("the house's log, its end", house.log[-20_000:]))
    return report
