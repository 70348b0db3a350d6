"""The pytest plugin for authors of plugins, `-p bot.testing.fixtures`: `room`, `hobnob`, `crash_anywhere`, and `house` for connectors.

What they stand on: `house.py`, `connected.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.config import Config, PluginTable
from bot.connector import Connector
from bot.messages import Address
from bot.plugins import Plugins, load
from bot.store import embedded
from bot.testing.connected import Connected, connected
from bot.testing.fate import Fate
from bot.testing.house import House
from bot.testing.house import house as opening
from bot.testing.room import Room, Seen

Scenario = Callable[[Room], Awaitable[Any]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`hobnob_plugins` names the folders of the plugins under test, from the root of the tests."""
    parser.addini("hobnob_plugins", "the folders of the plugins under test, by name: NAME=FOLDER", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """The marker that sets a test's house up."""
    config.addinivalue_line(
        "markers",
        'hobnob(platform="discord", config={…}, settings={…}): whose limits hold, what the operator chose, and what the server did',
    )


@pytest.fixture(scope="session")
def hobnob_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a store that comes with Hobnob, for all tests of the run."""
    folder = tmp_path_factory.mktemp("hobnob")
    process = embedded.start(folder)
    yield embedded.socket_url(folder)
    process.terminate()
    process.wait(10)


@pytest_asyncio.fixture
async def hobnob(request: pytest.FixtureRequest, hobnob_store: str) -> AsyncIterator[House]:
    """The house of this test."""
    async with _house(request, hobnob_store, Fate()) as opened:
        yield opened


@pytest.fixture
def room(hobnob: House) -> Room:
    """A group chat in it; `room.elsewhere("name")` is one of another server."""
    return lounge(hobnob)


@pytest.fixture
def crash_anywhere(request: pytest.FixtureRequest, hobnob_store: str) -> Callable[[Scenario], Awaitable[None]]:
    """Plays a scenario, an async function of a room, and then again for each step of its handlers, which are stopped there and run anew.

    AssertionError when that ends in other messages or other jobs than without.
    """

    async def play(scenario: Scenario, fate: Fate) -> tuple[list[Any], list[str]]:
        async with _house(request, hobnob_store, fate) as opened:
            played = lounge(opened)
            await scenario(played)
            return [_told(seen) for seen in played.messages], [repr(job) for job in opened.models.jobs]

    async def crash(scenario: Scenario) -> None:
        whole = Fate()
        expected = await play(scenario, whole)
        assert whole.steps, "nothing happened in this scenario that could be interrupted"
        for at, step in enumerate(whole.steps, 1):
            found = await play(scenario, Fate(at=at))
            assert found == expected, f"stopped {step}, the handler ended otherwise than without a stop"

    return crash


@pytest_asyncio.fixture
async def house(hobnob_store: str, connect: Callable[[], Connector]) -> AsyncIterator[Connected]:
    """What stands behind the connector that the fixture `connect` makes, for `bot.testing.contract`."""
    async with connected(hobnob_store, connect) as opened:
        yield opened


def lounge(opened: House) -> Room:
    """The first room of a house."""
    return Room(opened, Address(opened.platform.name, "lounge", "main"))


def _told(seen: Seen) -> tuple[Any, ...]:
    return str(seen), tuple(seen.buttons), tuple(seen.files.items()), seen.private


def _house(request: pytest.FixtureRequest, url: str, fate: Fate) -> Any:
    marker = request.node.get_closest_marker("hobnob")
    given = dict(marker.kwargs) if marker else {}
    plugins = _plugins(request.config, given.get("config", {}))
    return opening(url, plugins, kind=given.get("platform", "room"), settings=given.get("settings"), fate=fate)


def _plugins(config: pytest.Config, options: dict[str, Any]) -> Plugins:
    given = config.getini("hobnob_plugins")
    assert given and all("=" in one for one in given), f"expected `hobnob_plugins = NAME=FOLDER` in pytest's configuration, found {given}"
    folders = dict(one.split("=", 1) for one in given)
    tables = {name: PluginTable.model_validate({"path": Path(config.rootpath, folder), **options}) for name, folder in folders.items()}
    return load(Config(plugins=tables), "front")
