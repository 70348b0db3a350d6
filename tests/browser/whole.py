"""A room and the dashboard with a real router and our own plugins, whose jobs nobody does. Arguments: redis URL, key prefix, data, port."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import nicegui
from starlette.routing import Route

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
from bot.web.app import bind


async def main(address: str, prefix: str, data: str, port: str) -> None:
    redis, keys = connect(address), Keys(prefix)
    file = Path(data) / "bot.toml"
    file.write_text(f'data_dir = "{data}"\n[web]\nport = {port}\n\n[plugins.admin]\n[plugins.chat]\nmodels = ["smollm2-135m-instruct"]\n')
    config = load_config(file)
    rooms, sessions, plugins = Rooms(redis, keys, Path(data) / "files"), Sessions(redis, keys), load(config, "front")
    router = app.build(redis, keys, plugins, [RoomConnector(rooms)])
    site, bound, asked = site_of(config, rooms, sessions, router, plugins, redis, keys), bind(config), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    async with running(router, plugins), serving_pages(site, bound):
        found = {route.path for route in nicegui.app.routes if isinstance(route, Route) and not route.path.startswith("/_nicegui")}
        (Path(data) / "routes.json").write_text(json.dumps(sorted(found)))
        await asked.wait()
    await rooms.close()
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
