"""What the core itself costs per message: an echo plugin beside 20 idle ones, in memory and with Redis."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

from bot import Context, Listener, Message, Reply, hookimpl
from bot.allowing import UNLIMITED, Allowed
from bot.connector import Deliver, Limits, Post
from bot.messages import Address, Attachment, Person, Text
from bot.permissions import Grant
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.acts import DurableActs, Stores
from bot.router.delivery import Delivery, Line
from bot.router.dispatch import Dispatch
from bot.router.filling import Forms
from bot.router.finding import Finder
from bot.router.gate import Gate
from bot.router.journal import Journal
from bot.router.lateness import Lateness
from bot.router.metering import Meters
from bot.router.metering import meters as metered
from bot.router.pace import Pace
from bot.router.posts import Posts
from bot.router.readers import Readers
from bot.router.runner import Runner
from bot.router.table import Table
from bot.router.terms import Terms
from bot.routes import Route
from bot.store import embedded
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.quotas import NOTHING, Charge
from bot.store.servers import Choices, Server
from bot.store.tickets import Body, Ticket, Write
from tests.bench.figures import Figure

RUNS = 5
IDLE = 20
SERVERS = 10_000
ADA = Person("ada", "Ada")


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


class Counting:
    """A connector that counts what it is given to send."""

    name = "room"
    private = True

    def __init__(self) -> None:
        self.sent = 0
        self.wanted = 0
        self.enough = asyncio.Event()

    def limits(self, to: Address) -> Limits:
        return Limits(text=4000, file=1, edit_interval=0.0)

    async def run(self, deliver: Deliver) -> None:
        await asyncio.Event().wait()

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        self.sent += 1
        if self.sent >= self.wanted:
            self.enough.set()
        return nonce

    async def edit(self, to: Address, message: str, post: Post) -> None:
        raise AssertionError

    async def delete(self, to: Address, message: str) -> None:
        raise AssertionError

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""


class Memory:
    """Tickets, journals and servers that are forgotten at once."""

    async def get(self, tenant: str) -> Server:
        return Server()

    async def version(self, tenant: str) -> int:
        return 0

    async def accept(self, bodies: Sequence[Body], settings_version: int, at: float, charge: Charge = NOTHING) -> list[Ticket]:
        return [Ticket(body.id, 1, 1, body, at) for body in bodies]

    async def asker(self, id: str) -> str | None:
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


def plugins() -> Plugins:
    idle = [Loaded(f"idle{number}", Idle(), version="1") for number in range(IDLE)]
    return Plugins([Loaded("echo", Echo(), version="1"), *idle])


def message(number: int) -> Message:
    chat = Address("room", f"server{number % 100}", f"channel{number % 7}")
    return Message(str(number), str(number), chat, ADA, (Text("How many messages does it take to fill a room?"),))


async def in_memory(count: int) -> float:
    """Messages a second through route, gate, handler and reply, without any store."""
    memory, connector, loaded = Memory(), Counting(), plugins()
    nothing: Any = None
    untraced: Any = Untraced()
    stores = Stores(nothing, nothing, nothing, nothing, nothing, nothing)
    table = Table.of(loaded.collect("register_routes"))
    delivery = Delivery({"room": connector}, Posts(nothing, nothing), Pace())

    def act(journal: Journal, line: Line) -> DurableActs:
        return DurableActs(journal, line, stores, connector, nothing)

    runner = Runner(table, loaded, memory, delivery, act, lambda ticket, line, outcome, worked: None)
    lateness = Lateness(lambda _: inf, time.time)
    gate, start = Gate(memory, loaded.loaded, Terms(private=frozenset({"room"}))), runner.start
    finder = Finder(table, nothing, nothing, nothing)
    more = (lateness, nothing, nothing, nothing, nothing, Forms({}, nothing), nothing, nothing, nothing, Readers(loaded.locales, memory))
    meters = Meters(nothing, gate, nothing, nothing, ())
    dispatch = Dispatch(table, loaded, gate, memory, finder, nothing, start, nothing, time.time, *more, meters, untraced)
    return await _rate(dispatch.deliver, connector, count, at_once=16)


class Untraced:
    """Nobody asks why."""

    def seen(self, *what: Any) -> None:
        """Forgets it."""


class Choosy(Memory):
    """Ten thousand servers, each with switches, settings, a channel of its own and grants."""

    async def get(self, tenant: str) -> Server:
        number = int(tenant.rpartition("server")[2])
        mine = Choices(
            plugins={f"idle{number % IDLE}": False},
            settings={"echo": {}},
            grants=(Grant(who="person:ben", what="echo", allowed=False), Grant(who="role:7", what="/echo", allowed=True)),
        )
        return Server(version=1, choices=mine, channels={"channel1": Choices(plugins={"idle1": True})})


async def gate(count: int) -> float:
    """Microseconds that the gate takes for a message: every plugin's switch, permission and settings, in 10,000 servers in turn."""
    loaded = plugins()
    judge, names = Gate(Choosy(), loaded.loaded, Terms(private=frozenset({"room"}))), list(loaded.loaded)
    places = (Address("room", f"server{number % SERVERS}", f"channel{number % 7}") for number in range(count))
    arrivals = [replace(message(number), address=place) for number, place in enumerate(places)]

    async def once(arrival: Message) -> None:
        view = await judge.view(arrival.address)
        view.admits(arrival)
        for name in names:
            view.may(name, "", arrival)
        view.settings("echo", arrival.address)
        view.quiet(arrival.address)
        view.talking(arrival.address)
        metered(view, arrival, "messages")

    for arrival in arrivals[:SERVERS]:  # what a server chose is read once, and merged once
        await once(arrival)
    began = time.perf_counter()
    for arrival in arrivals[SERVERS:]:
        await once(arrival)
    return (time.perf_counter() - began) / (count - SERVERS) * 1e6


async def with_redis(url: str, count: int) -> float:
    """Messages a second with the ticket written before and ended after, on a real server."""
    redis, connector, loaded = connect(url), Counting(), plugins()
    router = app.build(redis, Keys("bench"), loaded, [connector], allowed=Allowed(quotas=UNLIMITED))
    try:
        async with app.running(router, loaded):
            return await _rate(router.deliver, connector, count, at_once=64)
    finally:
        await redis.flushall()
        await redis.aclose()


async def _rate(deliver: Deliver, connector: Counting, count: int, at_once: int) -> float:
    arrivals = iter([message(number) for number in range(count)])
    connector.wanted = count

    async def one_connection() -> None:
        for arrival in arrivals:
            await deliver(arrival)

    began = time.perf_counter()
    await asyncio.gather(*(one_connection() for _ in range(at_once)))
    await asyncio.wait_for(connector.enough.wait(), 60)
    return count / (time.perf_counter() - began)


def measure() -> dict[str, Figure]:
    memory, redis, gated = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        server = embedded.start(Path(folder))
        try:
            for _ in range(RUNS):  # interleaved, so that both meet the same weather
                gated.append(asyncio.run(gate(SERVERS * 4)))
                memory.append(asyncio.run(in_memory(20_000)))
                redis.append(asyncio.run(with_redis(embedded.socket_url(Path(folder)), 5_000)))
        finally:
            server.terminate()
            server.wait(10)
    return {
        "the gate": Figure.of(gated, "µs/message", 50, "lower"),
        "messages in process": Figure.of(memory, "messages/s", 5_000, "higher"),
        "messages with Redis": Figure.of(redis, "messages/s", 1_000, "higher"),
    }
