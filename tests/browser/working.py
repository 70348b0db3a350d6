"""A room with a real router behind it, whose jobs the test does itself. Arguments: redis URL, key prefix, data directory, port."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from bot.config import Config
from bot.connectors.room import RoomConnector
from bot.plugins import Loaded, Plugins
from bot.queueing import QueueTable
from bot.router import app
from bot.router.app import running
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.rooms import Rooms
from bot.store.sessions import Sessions
from bot.web.app import serve
from bot.web.binding import bind
from bot.web.site import Site
from tests.router.waiting import Asker

QUEUE = QueueTable(offer_after=30.0, instead={"say": {"finch": "A smaller one, now"}})


async def main(url: str, prefix: str, data: str, port: str) -> None:
    redis, keys = connect(url), Keys(prefix)
    config = Config.model_validate({"data_dir": data, "web": {"port": int(port)}})
    rooms, sessions = Rooms(redis, keys, Path(data) / "files"), Sessions(redis, keys)
    plugins = Plugins([Loaded("asker", Asker(), version="1")])
    async with running(app.build(redis, keys, plugins, [RoomConnector(rooms)], queue=QUEUE, lease=0.6), plugins):
        serving = asyncio.create_task(serve(Site(config, rooms, sessions), bound=bind(config)))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
        await asyncio.gather(serving, return_exceptions=True)
    await rooms.close()
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
