"""The terminal as a guest of our rooms: finds what runs, or starts all that is needed and stops it afterwards. Guests: `ask`, `console`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import typer

from bot.config import Config
from bot.errors import UserError
from bot.faults import variable
from bot.locking import holder
from bot.store.connection import check, connect
from bot.store.embedded import START_SECONDS, answers
from bot.store.keys import Keys
from bot.store.places import BOT, Came, Draft, Gone, Place, RoomMessage, Writes
from bot.store.roomfeed import Change
from bot.store.rooms import Rooms
from bot.supervise import Instance, running

HEARD = 3.0
"""Seconds after which a message that no router took needs one of our own."""

SETTLED = 1.5
"""Seconds of quiet after which nothing more will come: longer than a handler works before its status line shows that it does."""

STEP = 0.25


class Meeting:
    """Rooms, and somebody there who answers."""

    def __init__(self, rooms: Rooms, config: Config, stack: AsyncExitStack) -> None:
        self.rooms = rooms
        self._config = config
        self._stack = stack
        self._instance: Instance | None = None
        self._expected = math.inf

    @property
    def starting(self) -> bool:
        """True while what was started here is not ready yet."""
        return self._instance is not None and not self._instance.link.done()

    async def start(self) -> None:
        """Starts a router and a worker that end with this meeting; their everyday log would only be in the way."""
        quiet = {variable(("log", "level")): "warning", **self._config.source.environ}
        self._instance = await self._stack.enter_async_context(running(self._config, pages=False, environ=quiet))

    def expect(self, now: float) -> None:
        """Raises UserError once Hobnob has ended, store and all, and has not come back within a moment; `now` is the event loop's."""
        if self._instance is not None or self._config.redis.url is not None or holder(self._config.data_dir) is not None:
            self._expected = now
        if now - self._expected > HEARD:
            raise UserError("Hobnob was stopped. What was asked here is answered at its next start.")

    async def heard(self, asked: str) -> None:
        """Starts what is needed when nobody took the message. Raises typer.Exit when that cannot come up; it has said why itself.

        Where Hobnob runs, its router takes the message as soon as it can: two of them cannot run in one data directory.
        """
        if self._instance is None and holder(self._config.data_dir) is None and await self._waits(asked):
            await self.start()
        if self._instance is not None and self._instance.failed.done():
            raise typer.Exit(self._instance.failed.result())

    async def _waits(self, asked: str) -> bool:
        try:
            waiting = await asyncio.wait_for(self.rooms.arrivals(), STEP)
        except TimeoutError:  # nothing waits
            return False
        return any(one.target == asked for one in waiting)

    async def exchange(self, place: Place, draft: Draft) -> AsyncGenerator[list[RoomMessage], None]:
        """Says something, and gives what the bot says from then on, as it grows; ends when nothing more will come."""
        async with aclosing(steps(self.rooms.watch(place))) as changes:
            await anext(changes)
            asked = await self.rooms.say(place, draft)
            loop = asyncio.get_running_loop()
            began = loop.time()
            answer = Answer(asked, began)
            async for some in changes:
                self.expect(loop.time())
                if answer.take(some, loop.time()):
                    yield answer.messages
                if answer.complete(loop.time()):
                    return
                if not answer.messages and loop.time() - began > HEARD:
                    await self.heard(asked)


class Answer:
    """What the bot has said since a message; times are the event loop's."""

    def __init__(self, asked: str, now: float) -> None:
        self._asked = int(asked)
        self._said: dict[str, RoomMessage] = {}
        self._changed = now

    @property
    def messages(self) -> list[RoomMessage]:
        """In their order."""
        return [self._said[id] for id in sorted(self._said, key=int)]

    def take(self, changes: Iterable[Change], now: float) -> bool:
        """Adds what concerns it; True when something did."""
        mine = [change for change in changes if not isinstance(change, Came | Writes) and int(change.id) > self._asked]
        for change in mine:
            if isinstance(change, Gone):
                self._said.pop(change.id, None)
            elif change.head.author.id == BOT.id:
                self._said[change.id] = change
        if mine:
            self._changed = now
        return bool(mine)

    def complete(self, now: float) -> bool:
        """True when there is something, none of it is still going to change, and it has been quiet for a while."""
        return bool(self._said) and not any(one.body.busy for one in self._said.values()) and now - self._changed > SETTLED


async def steps(watch: AsyncGenerator[list[Change], None]) -> AsyncGenerator[list[Change], None]:
    """The lists of a watch, and an empty one whenever nothing came for a moment."""
    async with aclosing(watch):
        coming = asyncio.ensure_future(anext(watch))
        try:
            while True:
                await asyncio.wait({coming}, timeout=STEP)
                if coming.done():
                    changes = coming.result()
                    coming = asyncio.ensure_future(anext(watch))
                    yield changes
                else:
                    yield []
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


@asynccontextmanager
async def meeting(config: Config) -> AsyncIterator[Meeting]:
    """Goes where Hobnob runs, or lets it run as long as the block does."""
    async with AsyncExitStack() as stack:
        redis = connect(config.redis_url)
        rooms = Rooms(redis, Keys(), config.files_dir)
        met = Meeting(rooms, config, stack)
        try:
            if config.redis.url is None:
                await (met.start() if holder(config.data_dir) is None else _store(config.data_dir))
            await check(redis, config.redis_url)
            yield met
        finally:  # before the store goes, which would have the client try again and again
            await rooms.close()
            await redis.aclose()


def runs(config: Config) -> bool:
    """Whether there is a store to look into; who goes on to look may still find that one elsewhere does not answer."""
    return config.redis.url is not None or answers(config.data_dir)


async def _store(data_dir: Path) -> None:
    """Where Hobnob has only just begun, its store is not there yet."""
    for _ in range(round(START_SECONDS / STEP)):
        if answers(data_dir) or holder(data_dir) is None:
            return
        await asyncio.sleep(STEP)
