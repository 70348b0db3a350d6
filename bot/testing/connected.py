"""What stands behind a connector under test: a real router, a plugin that echoes, scripted models. What is tested: `contract.py`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, cast

from redis.asyncio import Redis

from bot.allowing import UNLIMITED, AdmissionTable, Allowed
from bot.connector import Connector
from bot.jobs import Answer, Generate, Job, TextSoFar
from bot.plugins import Loaded, Plugins
from bot.router.app import Router, build, running
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.testing.acts import Scripted
from bot.testing.echo import Echo
from bot.testing.fate import Fate
from bot.testing.models import Hesitation, Models
from bot.testing.waiting import wait_until

EVERYBODY = Allowed(AdmissionTable(servers="open", direct="open"), UNLIMITED)


class Connected:
    """`connect` makes the connector, anew for each router, as a new process would; `connector` is that of the one which runs."""

    connector: Connector

    def __init__(self, url: str, connector: Callable[[], Connector]) -> None:
        self._redis, self._keys = connect(url), Keys(f"connected-{uuid.uuid4().hex[:12]}")
        self._models = Models(self._redis, self._keys, Fate())
        self._models.always(_parrot)
        self._connector = connector
        self._plugins = Plugins([Loaded("echo", Echo(), version="1")])
        self._router: Router
        self._running = AsyncExitStack()

    async def begin(self) -> None:
        """A router receives from now on."""
        self.connector = self._connector()
        self._router = build(self._redis, self._keys, self._plugins, [self.connector], lease=2.0, allowed=EVERYBODY)
        self._running = AsyncExitStack()
        await self._running.enter_async_context(running(self._router, self._plugins))

    @contextmanager
    def holding(self) -> Iterator[Hesitation]:
        """See `Behind`."""
        with self._models.hesitating() as held:
            yield held

    async def kill(self, asked: str) -> None:
        """See `Behind`. What it had in hand is left as it is, and taken over from its journal."""
        await wait_until(lambda: journalled(self._redis, self._keys, "status", asked))
        tickets, runner = self._router.tickets, self._router.runner
        left = runner.held
        for ticket in left:
            runner.abandon(ticket)
        await wait_until(lambda: not runner.held)
        await self._running.aclose()
        for ticket in left:
            await tickets.hand_back(ticket)
        await self.begin()

    async def end(self) -> None:
        """Nothing of it stays in the store."""
        await self._running.aclose()
        if left := [key async for key in self._redis.scan_iter(f"{self._keys.prefix}:*", count=1000)]:
            await self._redis.delete(*left)
        await self._redis.aclose()

    async def work(self) -> None:
        """The models, until cancelled."""
        await self._models.work()


@asynccontextmanager
async def connected(url: str, connector: Callable[[], Connector]) -> AsyncIterator[Connected]:
    """All of it, while the block runs."""
    made = Connected(url, connector)
    working = asyncio.create_task(made.work())
    try:
        await made.begin()
        yield made
    finally:
        working.cancel()
        await asyncio.wait([working])
        await made.end()


async def journalled(redis: Redis, keys: Keys, entry: str, asked: str) -> bool:
    """Whether the ticket of who `asked` this has the entry in its journal: what a chat shows may not be written down yet."""
    running = [id.decode() for id in cast("list[bytes]", await redis.zrange(keys.ticket_leases(), 0, -1))]
    mine = [id for id in running if asked.encode() in (await redis.hget(keys.ticket(id), "body") or b"")]
    return any([await redis.hexists(keys.journal(id), entry) for id in mine])


def _parrot(job: Job[Any]) -> Scripted:
    """Says what was said, one word at a time."""
    assert isinstance(job, Generate)
    words = job.turns[-1].text.split()
    partials = [TextSoFar(text=" ".join(words[:number])) for number in range(1, len(words) + 1)]
    answer = Answer(text=" ".join(words), finish="stop", prompt_tokens=1, tokens=len(words), model="parrot")
    return (*partials, answer)
