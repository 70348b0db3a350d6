"""Servers of a platform on which anybody may add the bot, with the admin plugin and one that sings; and an owner, once one is made."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from bot.allowing import AdmissionTable, Allowed, QuotasTable
from bot.connector import Limits, typed_command
from bot.membership import Joined
from bot.messages import Address, Clicked, Message, Person, Quote, Said, Text, Trigger
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.app import Router
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform
from tests.plugins.admin.hall import plugins

ANN, BOB, BOT = Person("ann", "Ann"), Person("bob", "Bob"), Person("bot", "Hobnob", bot=True)
CHESS, CHOIR = Address("chat", "chess", "main"), Address("chat", "choir", "main")
ANNS, BOBS = Address("chat", "ann", "main", direct=True), Address("chat", "bob", "main", direct=True)


@dataclass
class Street:
    """`routers` share a store and the platform."""

    routers: list[Router]
    platform: Platform
    house: HouseRules
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def own(self, person: Person = ANN, place: Address = ANNS) -> None:
        """Makes a person the owner."""
        assert "You own me now" in (await self.say(f"/claim {await self.house.offer()}", person, place))[-1]

    async def say(self, text: str, person: Person = BOB, place: Address = CHESS, router: int = 0, **facts: Any) -> list[str]:
        """What the bot says there to that, which mentions it; `facts` are more of the message."""
        return await self._happens(typed_command(text) or Said(), person, place, router, parts=(Text(text),), **facts)

    async def joins(self, place: Address) -> list[str]:
        """What it says where it was just added."""
        return await self._happens(Joined(new=True), Person("", ""), place, 0)

    async def press(self, label: str, person: Person = ANN, place: Address = ANNS, router: int = 0, **facts: Any) -> list[str]:
        """What it says there, or what the message with the button says then."""
        for id, post in reversed(self.platform.chats[place].items()):
            if key := next((key for key in post.keys if key.label == label), None):
                return await self._happens(Clicked(key.id), person, place, router, via="click", reply_to=Quote(id, BOT), **facts)
        raise AssertionError(f"no button {label!r}: {[key.label for post in self.platform.chats[place].values() for key in post.keys]}")

    async def _happens(self, trigger: Trigger, person: Person, place: Address, router: int, **facts: Any) -> list[str]:
        before, id = dict(self.platform.chats.get(place, {})), f"m{next(self.numbers)}"
        facts = {"me": BOT.id, "mentions": (BOT,), "place": place.server.title(), **facts}
        await self.routers[router].deliver(Message(id, id, place, person, trigger=trigger, **facts))
        await wait_until(lambda: not any(one.runner.held for one in self.routers))
        return [post.text for id, post in self.platform.chats.get(place, {}).items() if before.get(id) != post]

    def hears(self, place: Address) -> list[str]:
        """All that the bot has said there."""
        return self.platform.shown(place)


@asynccontextmanager
async def street(
    redis: Redis,
    keys: Keys,
    admission: AdmissionTable = AdmissionTable(),
    quotas: QuotasTable = QuotasTable(),
    routers: int = 1,
    more: Iterable[Loaded] = (),
) -> AsyncIterator[Street]:
    """The street, with so many routers and `more` plugins."""
    loaded = Plugins([*plugins().loaded.values(), *more])
    platform = Platform("chat", Limits(text=4000, file=1000, edit_interval=0.0), private=False)
    async with AsyncExitStack() as stack:
        made = [app.build(redis, keys, loaded, [platform], allowed=Allowed(admission, quotas)) for _ in range(routers)]
        for router in made:
            await stack.enter_async_context(app.running(router, loaded))
        yield Street(made, platform, HouseRules(redis, keys))
