"""The example of MCP, with a server that is a program of its own: its tools come late, go through the gate, and come back."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import mcp
import pytest
from mcp.server.lowlevel import Server as Endless
from mcp.types import ListToolsResult, PaginatedRequestParams

from bot.config import Config, PluginTable
from bot.config import load as load_config
from bot.errors import ConfigError
from bot.plugins import Plugins, load
from bot.store.servers import Choices, Server, Servers
from bot.testing import wait_until
from bot.testing.fate import Fate
from bot.testing.fixtures import lounge
from bot.testing.house import house
from bot.testing.room import Room

FOLDER = Path(__file__).parents[2] / "docs/examples/mcp"
SERVER = Path(__file__).parents[1] / "data/mcp/server.py"

CALCULATOR = {"command": [sys.executable, str(SERVER)], "env": {"WORD": "swordfish"}}


def plugins(**servers: Any) -> Plugins:
    return load(Config(plugins={"mcp": PluginTable.model_validate({"path": FOLDER, "servers": servers})}), "front")


@pytest.fixture
async def room(redis_url: str) -> AsyncIterator[Room]:
    loaded = plugins(calc=CALCULATOR, away={"command": ["/nowhere"]})
    async with house(redis_url, loaded, fate=Fate()) as opened:
        (toolset, _) = [item for _, item in loaded.collect("register_tools")]
        await wait_until(lambda: toolset.tools, 60.0)
        yield lounge(opened)


async def test_what_a_server_can_do_a_chat_model_may_call_for_whoever_may(room: Room) -> None:
    assert await room.call("calc_add", a=2, b=3) == "5"
    assert await room.call("calc_secret_word") == "swordfish"
    assert list((await room.call("calc_plot")).files.values()) == [b"\x89PNG picture"]
    assert "Nobody divides by zero." in await room.call("calc_divide", a=1, b=0)
    assert "a" in await room.call("calc_add", b=3)

    off = Server(choices=Choices(plugins={"mcp": False}))
    await Servers(room.house.redis, room.house.keys).put(f"{room.house.platform.name}/kitchen", off)
    assert await room.elsewhere("kitchen").call("calc_add", a=2, b=3) == "There is no tool calc_add for Ada here."

    await room.call("calc_die")

    async def back() -> bool:
        return await room.call("calc_add", a=2, b=3) == "5"

    await wait_until(back, 60.0)


@pytest.mark.parametrize(("cursor", "pages"), [("again", 2), ("{}", 100)])
async def test_a_list_of_tools_without_an_end_is_cut_off(cursor: str, pages: int, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str | None] = []

    async def page(_: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        asked.append(params.cursor if params else None)
        assert len(asked) < 200
        tool = mcp.Tool(name=f"tool-{len(asked)}", input_schema={"type": "object"})
        return ListToolsResult(tools=[tool], next_cursor=cursor.format(len(asked)))

    [session] = plugins(calc=CALCULATOR).loaded["mcp"].plugin.sessions  # type: ignore[attr-defined]  # the example's own
    async with mcp.Client(Endless("endless", on_list_tools=page)) as client:
        found = await session._tools(client)
    assert [tool.name for tool in found] == [f"tool-{number}" for number in range(1, pages + 1)]
    assert f"the MCP server calc lists its tools without end: the first {pages} are taken" in caplog.text


def test_a_server_that_is_nowhere_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "bot.toml").write_text(f'[plugins.mcp]\npath = "{FOLDER}"\n[plugins.mcp.servers.nowhere]\n')
    with pytest.raises(ConfigError, match="expected one of `command"):
        load(load_config(tmp_path / "bot.toml"), "front")
