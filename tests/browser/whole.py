"""A room and the dashboard with a real router and our own plugins, whose jobs nobody does. Arguments: redis URL, key prefix, data, port."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import nicegui
from starlette.routing import Route

from bot import log
from bot.cli.processes import serving_pages, site_of
from bot.config import load as load_config
from bot.connectors.room import RoomConnector
from bot.plugins import load
from bot.router import app
from bot.router.app import running
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.rooms import Rooms
from bot.store.sessions import Sessions
from bot.web.binding import bind


async def main(address: str, prefix: str, data: str, port: str) -> None:
    redis, keys = connect(address), Keys(prefix)
    config = load_config(_written(Path(data), port))
    log.setup(config.log, process="router")
    rooms, sessions, plugins = Rooms(redis, keys, Path(data) / "files"), Sessions(redis, keys), load(config, "front")
    router = app.build(redis, keys, plugins, [RoomConnector(rooms)], contents=config.web.contents)
    site, bound, asked = site_of(config, rooms, sessions, router, plugins, redis, keys), bind(config), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    async with running(router, plugins), serving_pages(site, bound):
        found = {route.path for route in nicegui.app.routes if isinstance(route, Route) and not route.path.startswith("/_nicegui")}
        (Path(data) / "routes.json").write_text(json.dumps(sorted(found)))
        await asked.wait()
    await rooms.close()
    await redis.aclose()


def _written(folder: Path, port: str) -> Path:
    """Its configuration; the hub is one that nobody runs, so that nothing is asked of anybody else."""
    path = folder / "bot.toml"
    path.write_text(
        f'''data_dir = "{folder}"
[web]
port = {port}
contents = true
[models]
endpoint = "http://127.0.0.1:9"
use = "private"
[plugins.admin]
[plugins.chat]
models = ["smollm2-135m-instruct"]
'''
    )
    return path


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
