"""A plugin that blocks a real router is named and left out, and what others asked meanwhile is answered. What operators see of plugins."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import Popen
from typing import Any

from bot.testing import wait_until
from tests.house import ECHO, House

BLOCKER = ECHO.with_name("blocker")


def logged(house: House, words: str) -> dict[str, Any]:
    """The line of the log with these words, {} while there is none."""
    lines = [line for line in house.log.splitlines() if words in line and line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[0]) if lines else {}
    return found


def heard(trace: Popen[str], words: str) -> str:
    """The first line of a trace with these words."""
    assert trace.stdout is not None
    return next(line for line in trace.stdout if words in line)


async def test_whoever_blocks_the_router_is_left_out_of_the_next_and_others_are_answered(tmp_path: Path) -> None:
    tables = "".join(f'[plugins.{path.name}]\npath = "{path}"\n' for path in (ECHO, BLOCKER))
    house = House(tmp_path, plugins=tables)
    its = ("--config", str(house.config))
    with house.running(), ThreadPoolExecutor() as pool:
        with house.begin("plugins", "trace", *its) as trace:
            assert "register_routes" in await asyncio.to_thread(heard, trace, "blocker")  # what was asked at the start comes first
            assert (await asyncio.to_thread(house.do, "ask", "hello")).stdout == "hello\n"
            plugin, what, took, unit, outcome = (await asyncio.to_thread(heard, trace, "listener:echo")).split(maxsplit=4)
        assert (plugin, what, float(took) >= 0, unit) == ("echo", "listener:echo", True, "ms")
        assert outcome.startswith("Reply(") and "hello" in outcome
        with house.holding() as held:
            other = asyncio.get_running_loop().run_in_executor(pool, house.do, "ask", "one two three")
            await wait_until(held.exists, 60.0)
            blocking = asyncio.get_running_loop().run_in_executor(pool, house.do, "ask", "/block")
            named = await wait_until(lambda: logged(house, "a plugin blocks everybody"), 60.0)
            await wait_until(lambda: logged(house, "a plugin is left out"), 60.0)
        assert (named["plugin"], "blocker/front.py" in named["stack"]) == ("blocker", True)
        assert (await other).stdout == "one two three\n"
        assert "blocker stood in everybody's way and is off for now." in (await blocking).stdout
        listed = await asyncio.to_thread(house.do, "plugins")
        told = "blocker is left out, because it blocked everybody for 5 seconds. `hobnob plugins retry` has it tried again."
        assert told in " ".join(listed.stdout.split())
        retried = [await asyncio.to_thread(house.do, "plugins", "retry", "blocker", *its) for _ in range(2)]
        assert [(one.returncode, one.stdout) for one in retried] == [
            (0, "blocker is tried again when a router starts.\n"),
            (1, "Nothing is known against blocker.\n"),
        ]
