"""An echo plugin beside idle ones, and a router that writes nothing down, to see what the rest costs. What is measured: `core.py`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

from bot import Context, Listener, Reply, hookimpl
from bot.connector import Connector
from bot.messages import Message
from bot.plugins import Loaded, Plugins
from bot.router.acts import DurableActs
from bot.router.delivery import Delivery, Line
from bot.router.dispatch import Dispatch
from bot.router.filling import Forms
from bot.router.finding import Finder
from bot.router.gate import Gate
from bot.router.journal import Journal
from bot.router.lateness import Lateness
from bot.router.metering import Meters
from bot.router.pace import Pace
from bot.router.picking import Picking
from bot.router.posts import Posts
from bot.router.ranking import Ranking
from bot.router.readers import Readers
from bot.router.runner import Runner
from bot.router.stores import Stores
from bot.router.table import Table
from bot.router.terms import Terms
from bot.routes import Route
from bot.store.edits import Heard
from bot.store.quotas import NOTHING, Charge
from bot.store.servers import Server
from bot.store.tickets import Body, Supposed, Ticket, Write

IDLE = 20


class Echo:
    """Says what it hears."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("echo", lambda message: True, self.echo)]

    async def echo(self, ctx: Context) -> Reply:
        return Reply(ctx.message.text)


class Idle:
    """Listens for a word that nobody says."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("idle", lambda message: "xyzzy" in message.text, self.never)]

    async def never(self, ctx: Context) -> Reply:
        raise AssertionError


def plugins(others: int = IDLE) -> Plugins:
    """The echo and so many that have nothing to say."""
    idle = [Loaded(f"idle{number}", Idle(), version="1") for number in range(others)]
    return Plugins([Loaded("echo", Echo(), version="1"), *idle])


class Memory:
    """Tickets, journals and servers that are forgotten at once."""

    async def get(self, tenant: str) -> Server:
        return Server()

    async def version(self, tenant: str) -> int:
        return 0

    async def accept(
        self,
        bodies: Sequence[Body],
        settings_version: int,
        at: float,
        charge: Charge = NOTHING,
        supposed: Supposed | None = None,
        *,
        event: str = "",
    ) -> list[Ticket]:
        return [Ticket(body.id, 1, 1, body, at) for body in bodies]

    async def heard(self, message: Message, version: float) -> Heard:
        return Heard()

    async def unended(self, ids: Sequence[str]) -> list[str]:
        return []

    async def asked(self, id: str) -> Message | None:
        return None

    async def known(self, ids: Sequence[str]) -> bool:
        return False

    async def under_way(self, tenant: str) -> dict[str, Body]:
        return {}

    async def recall(self, ticket: Ticket) -> dict[str, bytes]:
        return {}

    async def record(self, ticket: Ticket, field: str, value: bytes, writes: Sequence[Write] = ()) -> bytes:
        return value

    def holds(self, since: float) -> bool:
        return True

    async def finish(self, ticket: Ticket) -> bool:
        return True

    async def hand_back(self, ticket: Ticket) -> None:
        raise AssertionError

    async def load(self, plugin: str, scope: str, owner: str, key: str) -> bytes | None:
        return None

    def saving(self, plugin: str, scope: str, owner: str, key: str, value: bytes | None, ttl: float | None) -> list[Write]:
        raise AssertionError

    def where(self, plugin: str, scope: str, owner: str, key: str) -> str:
        return owner


class Untraced:
    """Nobody asks why."""

    def seen(self, *what: Any) -> None:
        """Forgets it."""


def forgetful(connector: Connector, loaded: Plugins) -> Dispatch:
    """Route, gate, handler and delivery as in a router, whose tickets nothing keeps. Takes nothing but what people say."""
    memory = Memory()
    nothing: Any = None
    untraced: Any = Untraced()
    stores, by_name = Stores(nothing, nothing, nothing, nothing, nothing, nothing), {connector.name: connector}
    table = Table.of(loaded.collect("register_routes"))
    delivery = Delivery(by_name, Posts(nothing, nothing), Pace())

    def act(journal: Journal, line: Line) -> DurableActs:
        return DurableActs(journal, line, stores, connector, nothing)

    runner = Runner(table, loaded, memory, delivery, act, lambda ticket, line, outcome, worked, trouble: None)
    lateness = Lateness(lambda _: inf, time.time)
    gate, start = Gate(memory, loaded.loaded, Terms(private=frozenset(by_name))), runner.start
    finder = Finder(table, nothing, nothing, nothing, nothing, nothing)
    forms, readers = Forms({}, nothing, Picking({})), Readers(loaded.locales, memory)
    more = (lateness, nothing, nothing, forms, nothing, nothing, nothing, readers)
    meters = Meters(nothing, gate, nothing, nothing, ())
    return Dispatch(table, loaded, gate, memory, finder, nothing, start, nothing, time.time, *more, meters, untraced, Ranking({}))
