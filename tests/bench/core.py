"""What the core itself costs per message: an echo plugin beside 20 idle ones, in memory, with Redis, and over a platform's wire."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from bot import Message
from bot.allowing import UNLIMITED, Allowed
from bot.connector import Deliver, Limits, Post
from bot.messages import Address, Attachment, Person, Text
from bot.permissions import Grant
from bot.router import app
from bot.router.gate import Gate
from bot.router.metering import meters as metered
from bot.router.terms import Terms
from bot.store import embedded
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.servers import Choices, Server
from tests.bench import frameworks, idle, resident
from tests.bench.figures import Figure
from tests.bench.forgetful import IDLE, Memory, forgetful, plugins

RUNS = 5
SERVERS = 10_000

CAUSES = {
    "Hobnob on discord, tickets off, of discord.py": "a message takes 1.02 to 1.06 times the processor that it takes of discord.py "
    "(middles of three runs, n=13, 9 and 14 rounds in turns), two thirds of it in discord.py, aiohttp and sockets. The bots and the "
    "platform that asks share two cores, whose pace changes within a round: these gave 0.97, 0.995 and 1.31, "
    "a quiet run of all 0.87, single rounds 0.12 to 2.9.",
}
"""Why goals are missed."""

ADA = Person("ada", "Ada")


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


def message(number: int) -> Message:
    chat = Address("room", f"server{number % 100}", f"channel{number % 7}")
    return Message(str(number), str(number), chat, ADA, (Text("How many messages does it take to fill a room?"),))


async def in_memory(count: int, others: int = IDLE) -> float:
    """Messages a second through route, gate, handler and reply, without any store."""
    connector = Counting()
    return await _rate(forgetful(connector, plugins(others)).deliver, connector, count, at_once=16)


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


async def with_redis(url: str, count: int, others: int = IDLE) -> float:
    """Messages a second with the ticket written before and ended after, on a real server."""
    redis, connector, loaded = connect(url), Counting(), plugins(others)
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


def measure(*, quick: bool = False) -> dict[str, Figure]:
    """`quick` asks for one round, without the others."""
    memory, redis, gated, taken = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        server = embedded.start(Path(folder))
        try:
            for _ in range(1 if quick else RUNS):  # interleaved, so that both meet the same weather
                gated.append(asyncio.run(gate(SERVERS * 4)))
                memory.append(asyncio.run(in_memory(20_000)))
                redis.append(asyncio.run(with_redis(embedded.socket_url(Path(folder)), 5_000)))
                alone = asyncio.run(with_redis(embedded.socket_url(Path(folder)), 5_000, 0))
                taken.append((1 - redis[-1] / alone) * 100)
        finally:
            server.terminate()
            server.wait(10)
    return {
        "the gate": Figure.of(gated, "µs/message", 50, "lower"),
        "messages in process": Figure.of(memory, "messages/s", 5_000, "higher"),
        "messages with Redis": Figure.of(redis, "messages/s", 1_000, "higher"),
        f"{IDLE} idle plugins take": Figure.of(taken, "% of that", 10, "lower"),
        **idle.measure(),
        **resident.measure(1 if quick else RUNS),
        **({} if quick else frameworks.measure()),
    }
