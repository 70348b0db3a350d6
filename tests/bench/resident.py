"""The router as it is run, with all plugins, two platforms and the pages: when it is ready, and how much memory it takes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import psutil

from bot.store import embedded
from bot.testing import wait_until
from tests.bench.figures import Figure
from tests.bench.stages import PATIENCE, stage
from tests.house import House

RUNS = 5

PLUGINS = "[plugins.admin]\n[plugins.chat]\n[plugins.imagine]\n[plugins.transcribe]\n"

CONFIG = """
[connectors.discord]
api_url = "{0}"
gateway_url = "{1}"
cdn_url = "{0}"
token = "{2}"
[connectors.telegram]
api_url = "{3}"
file_url = "{3}/file"
token = "{4}"
"""


def measure(count: int = RUNS) -> dict[str, Figure]:
    runs = [asyncio.run(_once()) for _ in range(count + 1)]
    ready, resident = zip(*runs[1:], strict=True)  # the first compiles what is new
    return {
        "the router: ready": Figure.of(ready, "s", 2.0, "lower"),
        "the router: resident": Figure.of(resident, "MB", 170, "lower"),
    }


async def _once() -> tuple[float, float]:
    """Seconds until it says so, and megabytes once it hears both platforms; its store runs already."""
    async with stage("discord") as discord, stage("telegram") as telegram:
        with tempfile.TemporaryDirectory() as folder:
            _, api, gateway, *rest = discord.where
            house = House(Path(folder), CONFIG.format(api, gateway.rstrip("/"), *rest, *telegram.where[1:]), PLUGINS)
            store = embedded.start(house.data)
            try:
                began = time.perf_counter()
                with house.begin("router") as process:
                    assert process.stdout is not None
                    assert await asyncio.to_thread(process.stdout.readline), house.log
                    took = time.perf_counter() - began
                    await wait_until(lambda: discord.ready and telegram.ready, PATIENCE)
                    resident = psutil.Process(process.pid).memory_info().rss / 1e6
            finally:
                store.terminate()
                store.wait(10)
    return took, resident
