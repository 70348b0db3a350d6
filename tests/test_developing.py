"""`hobnob run --dev`: a plugin that is changed answers as it is now, and one that is broken waits to be mended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.cli.developing import concerned
from bot.testing import wait_until
from tests.house import House

FRONT = """
from bot import Command, NoArgs, hookimpl


class Plugin:
    @hookimpl
    def register_routes(self):
        return [Command("greet", "Greets.", NoArgs, self.greet)]

    async def greet(self, ctx, args):
        return "WORD"
"""


@pytest.mark.parametrize(
    ("file", "processes"),
    [("front.py", {"router"}), ("model.py", {"worker"}), ("jobs.py", {"router", "worker"}), ("de.po", {"router"})],
)
def test_only_the_processes_that_run_a_file_are_started_again(file: str, processes: set[str]) -> None:
    assert concerned([Path("shout", file)]) == processes


async def test_a_front_half_is_run_as_it_is_now(tmp_path: Path) -> None:
    plugin = tmp_path / "greeter"
    plugin.mkdir()
    (plugin / "plugin.toml").write_text('summary = "Greets."\napi = 1\nlicence = "Apache-2.0"\n')
    (plugin / "front.py").write_text(FRONT.replace("WORD", "one"))
    house = House(tmp_path, plugins=f'[plugins.greeter]\npath = "{plugin}"\n')

    async def says(word: str) -> bool:
        return (await asyncio.to_thread(house.do, "ask", "/greet")).stdout == f"{word}\n"

    with house.begin("run", "--dev") as process:
        assert process.stdout is not None
        assert "ready" in await asyncio.to_thread(process.stdout.readline), house.log
        worker = house.family["worker"].pid
        assert await says("one")
        (plugin / "front.py").write_text("def broken(:")
        await wait_until(lambda: "tried again when it has changed" in house.log, 60.0)
        (plugin / "front.py").write_text(FRONT.replace("WORD", "two"))
        await wait_until(lambda: says("two"), 60.0)
        assert house.family["worker"].pid == worker
        process.terminate()
        await wait_until(lambda: process.poll() is not None, 60.0)
