"""A router with a plugin whose only wish is one job, for tests of what people see while they wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot import Command, Context, NoArgs, Reply, Route, hookimpl
from bot.connector import Limits
from bot.jobs import Partial, TextSoFar
from bot.messages import Address, Called, Clicked, Message, Person
from bot.plugins import Loaded, Plugins
from bot.queueing import QueueTable
from bot.router import app
from bot.router.app import Router, running
from bot.store.keys import Keys
from bot.store.shifts import Claim, Offer, Shift
from bot.store.tickets import Ticket
from bot.testing import wait_until
from bot.testing.platform import Platform
from tests.hands import Said, Say

ROOM = Address("room", "lounge", "main")
ADA, BEN, EVE = Person("ada", "Ada"), Person("ben", "Ben"), Person("eve", "Eve")
OFFER = Offer("parrot", ["say", "say:parrot"])


class Asker:
    """Says what the job said."""

    def __init__(self) -> None:
        self.between, self.onward = asyncio.Event(), asyncio.Event()

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Command("say", "Says.", NoArgs, self.say),
            Command("twice", "Says twice.", NoArgs, self.twice),
            Command("recite", "Says it bit by bit.", NoArgs, self.recite),
        ]

    async def say(self, ctx: Context, args: NoArgs) -> Reply:
        return Reply((await ctx.run(Say(words="hello"))).words)

    async def twice(self, ctx: Context, args: NoArgs) -> Reply:
        first = await ctx.run(Say(words="one"))
        self.between.set()
        await self.onward.wait()
        return Reply(first.words + (await ctx.run(Say(words="two"))).words)

    async def recite(self, ctx: Context, args: NoArgs) -> Reply:
        return Reply((await ctx.stream(Say(), lambda partial: Reply(partial.text) if isinstance(partial, TextSoFar) else None)).words)


@dataclass
class Scene:
    """A chat in which somebody asks, and the hands that may do it."""

    router: Router
    platform: Platform
    shift: Shift
    asker: Asker

    async def ask(self, id: str = "1", command: str = "say", person: Person = ADA) -> None:
        await self.router.deliver(Message(id, id, ROOM, person, trigger=Called(command), me="bot"))

    async def press(self, label: str, by: Person = ADA, manages: bool = False, where: Address = ROOM) -> None:
        """Clicks the button of this label, or says elsewhere that it was clicked."""
        [key] = [key for post in self.posts() for key in post.keys if key.label == label]
        click = Message("c", f"{label}{by.id}{manages}", where, by, trigger=Clicked(key.id), me="bot", manages=manages)
        await self.router.deliver(click)

    async def again(self, ticket: Ticket) -> None:
        """Runs the ticket from the top, as after its router has died."""
        await self.router.tickets.hand_back(ticket)
        self.router.runner.abandon(ticket)
        await wait_until(lambda: self.router.runner.held and self.router.runner.held[0].fence > ticket.fence)

    def posts(self) -> list[Any]:
        return list(self.platform.chats.get(ROOM, {}).values())

    def shown(self) -> list[str]:
        return self.platform.shown(ROOM)

    def labels(self) -> list[str]:
        return [key.label for post in self.posts() for key in post.keys]

    async def claim(self, offer: Offer = OFFER) -> Claim:
        """The next job, as soon as there is one."""

        async def one() -> list[Claim]:
            return (await self.shift.claim([offer])).claims

        [claim] = await wait_until(one)
        return claim

    async def emit(self, claim: Claim, partial: Partial) -> None:
        assert await self.shift.emit_all([(claim, partial.model_dump_json())]) == [True]

    async def sees(self, text: str) -> None:
        """Waits until the last post says that."""
        await wait_until(lambda: self.shown()[-1:] == [text])

    async def finish(self, claim: Claim, words: str = "hello") -> None:
        assert await self.shift.finish(claim, Said(words=words).model_dump_json(), 0.1)

    async def quiet(self) -> None:
        """Waits until every ticket has ended."""
        await wait_until(lambda: not self.router.runner.held)


@asynccontextmanager
async def scene(
    redis: Redis, keys: Keys, queue: QueueTable = QueueTable(), *, lease: float = 8.0, kind: type[Platform] = Platform
) -> AsyncIterator[Scene]:
    """A worker that lives, whose every job the test claims and ends itself; `lease` in seconds is that of its jobs."""
    asker, platform = Asker(), kind(most=Limits(text=200, file=1000, edit_interval=0.0, preview_interval=0.2))
    plugins = Plugins([Loaded("asker", asker, version="1")])
    shift = Shift(redis, keys, "worker-1", [OFFER], lease=lease)
    await Shift(redis, keys, "living", [OFFER], lease=60.0).renew()
    async with running(app.build(redis, keys, plugins, [platform], queue=queue, lease=0.3), plugins) as router:
        at = Scene(router, platform, shift, asker)
        yield at
        for ticket in router.runner.held:
            await router.stores.queue.cancel(ticket.id)
        await at.quiet()
    await redis.delete(keys.workers())
