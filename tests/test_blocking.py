"""A plugin that blocks a real router is named and left out, and what others asked meanwhile is answered."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bot.config import load
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.troubles import Troubles
from bot.testing import wait_until
from tests.house import ECHO, House

BLOCKER = ECHO.with_name("blocker")


def logged(house: House, words: str) -> dict[str, Any]:
    """The line of the log with these words, {} while there is none."""
    lines = [line for line in house.log.splitlines() if words in line and line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[0]) if lines else {}
    return found


async def forgotten(house: House) -> bool:
    redis = connect(load(house.config).redis_url)
    try:
        return await Troubles(redis, Keys()).forget("blocker")
    finally:
        await redis.aclose()


async def test_whoever_blocks_the_router_is_left_out_of_the_next_and_others_are_answered(tmp_path: Path) -> None:
    tables = "".join(f'[plugins.{path.name}]\npath = "{path}"\n' for path in (ECHO, BLOCKER))
    house = House(tmp_path, plugins=tables)
    with house.running(), ThreadPoolExecutor() as pool:
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
        assert "blocker: it is left out; `hobnob plugins retry` has it tried again. It blocked everybody for 5 seconds." in listed.stdout
        assert await forgotten(house)
