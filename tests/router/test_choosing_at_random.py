"""Fifty servers whose admins switch, set and grant at random, on two routers at once: after each message exactly the right handlers ran."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field
from redis.asyncio import Redis

from bot import Change, Command, Context, Listener, NoArgs, Permit, Route, Where, hookimpl
from bot.discovery import Manifest
from bot.messages import Address, Called, Message, Person, Said, Text, Trigger
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.app import Router, running
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.platform import Platform

SERVERS, STEPS, SEED = 50, 14, 7

ADA, BEN = Person("ada", "Ada"), Person("ben", "Ben")
ADMINISTERS = Manifest(summary="Rules.", api=1, licence="Apache-2.0", rights=frozenset({"administration"}))
NAMES = ("one", "two", "three")

Ran = tuple[str, str, int]
"""A plugin, what of it ran, and its setting."""


class Number(BaseModel):
    """A setting."""

    number: int = Field(default=0, ge=0, le=99)


@dataclass
class Counter:
    """Says what of it ran, and with which setting."""

    name: str
    ran: dict[str, list[Ran]]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("hear", lambda message: message.text == "hear", self.hear), Command(self.name, "Runs.", NoArgs, self.call)]

    async def hear(self, ctx: Context) -> None:
        self.ran[ctx.message.event].append((self.name, "hear", ctx.settings.number))

    async def call(self, ctx: Context, args: NoArgs) -> None:
        self.ran[ctx.message.event].append((self.name, "call", ctx.settings.number))


class Boss:
    """Does what an admin wants."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Command("change", "Changes.", Change, self.change), Command("permit", "Permits.", Permit, self.permit)]

    async def change(self, ctx: Context, args: Change) -> None:
        await ctx.choices.change(args)

    async def permit(self, ctx: Context, args: Permit) -> None:
        await ctx.permissions.permit(args)


@dataclass
class World:
    """The routers, and what ran, by event."""

    routers: list[Router]
    ran: dict[str, list[Ran]]
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))

    async def say(self, address: Address, event: str, trigger: Trigger, text: str = "", by: Person = ADA) -> list[Ran]:
        self.ran[event] = []
        router = self.chance.choice(self.routers)
        parts = (Text(text),) if text else ()
        await router.deliver(Message(event, event, address, by, parts, trigger, manages=by is ADA))
        await wait_until(lambda: all(one.body.message.event != event for each in self.routers for one in each.runner.held), 30.0)
        return sorted(self.ran.pop(event))


@dataclass
class Model:
    """What one server has chosen, as simply as it can be written down."""

    on: dict[tuple[str, str], bool] = field(default_factory=dict)
    number: dict[tuple[str, str], int] = field(default_factory=dict)
    denied: dict[tuple[str, str], bool] = field(default_factory=dict)

    def holds(self, what: dict[tuple[str, str], Any], channel: str, name: str, otherwise: Any) -> Any:
        return what.get((channel, name), what.get(("", name), otherwise))

    def expected(self, channel: str, name: str, kind: str, by: Person) -> list[Ran]:
        denied = by is BEN and self.holds(self.denied, channel, name, False)
        if denied or not self.holds(self.on, channel, name, name != "three"):
            return []
        return [(name, kind, self.holds(self.number, channel, name, 0))]


async def live(world: World, server: int) -> None:
    """One server's admin and members, who know nothing of the other servers."""
    chance, model = random.Random(f"{SEED}/{server}"), Model()
    for step in range(STEPS):
        channel, name, event = chance.choice(["a", "b"]), chance.choice(NAMES), f"{server}.{step}"
        address, by = Address("room", f"server{server}", channel), chance.choice([ADA, BEN])
        where: Where = chance.choice(["server", "channel"])
        place = channel if where == "channel" else ""
        match chance.choice(["switch", "set", "deny", "hear", "hear", "call"]):
            case "switch":
                model.on[place, name] = on = chance.random() < 0.5
                await world.say(address, event, called("change", Change(plugin=name, where=where, on=on)))
            case "set":
                model.number[place, name] = number = chance.randrange(100)
                await world.say(address, event, called("change", Change(plugin=name, where=where, settings={"number": number})))
            case "deny":
                model.denied[place, name] = denied = chance.random() < 0.7
                await world.say(address, event, called("permit", Permit(who="person:ben", what=name, allowed=not denied, where=where)))
            case "call":
                assert await world.say(address, event, Called(name), by=by) == model.expected(channel, name, "call", by), event
        expected = sorted(ran for one in NAMES for ran in model.expected(channel, one, "hear", by))
        assert await world.say(address, f"{event}.heard", Said(), "hear", by) == expected, event


def called(command: str, args: BaseModel) -> Called:
    return Called(command, args.model_dump(mode="json"))


async def test_fifty_servers_change_at_random_and_nothing_of_one_is_seen_in_another(redis: Redis, keys: Keys) -> None:
    world = World([], {})
    async with AsyncExitStack() as stack:
        for _ in range(2):
            loaded = [Loaded(name, Counter(name, world.ran), settings=Number, version="1", enabled=name != "three") for name in NAMES]
            plugins = Plugins([*loaded, Loaded("boss", Boss(), ADMINISTERS, version="1")])
            world.routers.append(await stack.enter_async_context(running(app.build(redis, keys, plugins, [Platform()]), plugins)))
        await asyncio.gather(*(live(world, server) for server in range(SERVERS)))
