"""Our queue in the race: `Queue` and `Shift` as router and worker use them. The others: `entrants.py`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import cast

from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.queue import Depth, Queue
from bot.store.shifts import Begun, Claim, Offer, Shift
from tests.bench.race import CONCURRENCY, Ran
from tests.hands import Say

SERVERS = 20
"""From which the jobs come."""

EVERY = 1.0
"""Seconds between two looks of a router for what dead workers left."""

PREFIX = "RACE_PREFIX"
"""In the environment: where the keys are, when several run on one server."""


class Ours:
    """Fair between servers, with leases and fences; a turn has ten jobs."""

    async def connect(self, url: str, ran: Ran) -> None:
        self.redis, keys = connect(url), Keys(os.environ.get(PREFIX, "race"))
        self.queue = Queue(self.redis, keys, depth=Depth(1_000_000, 1_000_000))
        self.offer = Offer("model", ["say", "say:model"], CONCURRENCY)
        self.shift = Shift(self.redis, keys, f"worker{os.getpid()}", [self.offer])
        self.ran, self.count = ran, 0

    async def work(self) -> None:
        await self.shift.renew()
        self.tasks = asyncio.create_task(self.turns()), asyncio.create_task(self.keep())

    async def turns(self) -> None:
        claims: Sequence[Claim] = []
        while True:
            for claim in claims:
                self.ran(int(claim.body["job"]["words"]))
            handed_in = [self.shift.finish(claim, "{}", 0.001) for claim in claims]
            *_, begun = await asyncio.gather(*handed_in, self.shift.claim([self.offer]))  # as where some leave a turn and others join it
            claims = cast("Begun", begun).claims
            if not claims:
                await self.shift.wait(self.shift.wants, 5.0)

    async def keep(self) -> None:
        """What the warden and a router do beside it, as often as they do."""
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.gather(self.shift.renew(), self.queue.reap())

    async def enqueue(self, number: int) -> None:
        self.count += 1
        id, server = f"j{self.count}", f"server{number % SERVERS}"
        await self.queue.submit(Say(words=str(number)), id=id, ticket=f"t{id}", tenant=server, person=f"person{number % SERVERS}")
