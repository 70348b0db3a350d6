"""A room with a scripted bot behind the real connector, as a process of its own. Arguments: redis URL, key prefix, data directory, port."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from bot.config import Config
from bot.connector import Key, Menu, Post
from bot.connectors.room import RoomConnector
from bot.forms import Choice, Form, Option
from bot.messages import Attachment, Audio, Clicked, Message, Text
from bot.router.addressing import addressed, heard
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.rooms import Rooms
from bot.store.sessions import Sessions
from bot.tables import Talking
from bot.web.app import serve
from bot.web.binding import bind
from bot.web.site import Site

CODE = """Here is how:

```python
def greet(name: str) -> str:
    # said once
    return f"Hello {name}"
```
"""

KEYS = (Key("again", "Again"), Key("fill", "Another"))
MENUS = (
    Menu("one", (Choice("Tea", "tea"), Choice("Milk", "milk")), "Drink"),
    Menu("some", (Choice("Salt", "s"), Choice("Oil", "o")), most=2),
)
FORM = Form(
    "Another drink", (Option("name", "What is it?", required=True, most=40), Option("size", "How much?", choices=("small", "large")))
)


class Echo:
    """Answers what is addressed to it: a status line, a streamed text, a button."""

    def __init__(self, connector: RoomConnector) -> None:
        self._connector = connector
        self._tasks: set[asyncio.Task[None]] = set()

    async def deliver(self, message: Message) -> None:
        if isinstance(message.trigger, Clicked) or (heard(message) and addressed(message, Talking())):
            task = asyncio.create_task(self._answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Message) -> None:
        to, reply_to = message.address, message.id
        if isinstance(message.trigger, Clicked) and message.trigger.button == "fill" and message.trigger.filled is None:
            await self._connector.open_form(message, FORM)
            return
        line = await self._connector.send(to, Post("Thinking …", reply_to=reply_to, busy=True), message.event)
        words = (await self._words(message)).split(" ")
        for count in range(1, len(words)):
            await asyncio.sleep(0.03)
            await self._connector.edit(to, line, Post(" ".join(words[:count]), reply_to=reply_to, busy=True))
        await self._connector.edit(to, line, Post(" ".join(words), keys=KEYS, menus=MENUS if "menu" in words else (), reply_to=reply_to))

    async def _words(self, message: Message) -> str:
        if isinstance(message.trigger, Clicked):
            given = [*message.trigger.chosen, *(message.trigger.filled or {}).values()]
            return f"{message.sender.name} clicked {' '.join([message.trigger.button, *given])}."
        for part in message.parts:
            if isinstance(part, Audio) and isinstance(part.source, Attachment):
                content = b"".join([piece async for piece in self._connector.read(part.source)])
                return f"A note of {len(content)} bytes, {part.source.mime}, beginning {content[:4].hex()}."
        said = " ".join(part.text for part in message.parts if isinstance(part, Text))
        if "times" in said:
            return "`0:00` It begins.\n`0:01` It goes on."
        return CODE if "code" in said else f"{message.sender.name} said: {said} And that is all there is to say about it."


async def main(url: str, prefix: str, data: str, port: str) -> None:
    redis, keys = connect(url), Keys(prefix)
    config = Config.model_validate({"data_dir": data, "web": {"port": int(port), "names": ["chat.example"]}})
    rooms, sessions = Rooms(redis, keys, Path(data) / "files"), Sessions(redis, keys)
    connector = RoomConnector(rooms)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(connector.run(Echo(connector).deliver)),
            group.create_task(serve(Site(config, rooms, sessions), bound=bind(config))),
        ]
        for task in tasks:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: [task.cancel() for task in tasks])
    await rooms.close()
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
