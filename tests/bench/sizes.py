"""What the store keeps and does: bytes and keys of each thing, commands and time of a message. Bytes are the store's own count.

`docs/scale.md` is made of these. Times are those that the store took in its commands, so a busy machine only delays them.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from redis.asyncio import Redis

from bot.jobs import Answer, Generate
from bot.messages import Address, Message, Person, Text
from bot.store import embedded
from bot.store.connection import connect
from bot.store.conversations import Conversations
from bot.store.keys import Keys
from bot.store.queue import Depth, Queue
from bot.store.servers import Choices, Server, Servers
from bot.store.shifts import Offer, Shift
from bot.store.tickets import Body, Ticket, Tickets
from bot.turns import Turn
from tests.bench.figures import Figure

COUNT = 1000

TURNS = 40

WORDS = "What people say in a chat is about as long as this, and what they are told a little longer, more often than not. "

OFFER = Offer("model", ["generate"], most=16)


def measure() -> dict[str, Figure]:
    """By what is measured. Goals are what docs/scale.md reckons with."""
    with tempfile.TemporaryDirectory() as folder:
        store = embedded.start(Path(folder))
        try:
            return asyncio.run(_measured(embedded.socket_url(Path(folder))))
        finally:
            store.terminate()
            store.wait()


async def _measured(url: str) -> dict[str, Figure]:
    redis, keys = connect(url), Keys()
    tickets, queue = Tickets(redis, keys, "router"), Queue(redis, keys, depth=Depth(COUNT, COUNT))
    shift, held = Shift(redis, keys, "worker", [OFFER]), list[Ticket]()
    await shift.renew()

    async def accept(number: int) -> None:
        held.extend(await tickets.accept([_body(number)], 0, time.time()))

    async def converse(number: int) -> None:
        writes = [Conversations(redis, keys).appending(f"discord/{number}/main/", _turn(turn)) for turn in range(TURNS)]
        for at, write in enumerate(writes):
            await tickets.record(held[number], f"turn.{at}", b"", [write])
        await redis.delete(keys.journal(held[number].id))

    async def whole(number: int) -> None:
        (ticket,) = await tickets.accept([_body(COUNT + number)], 0, time.time())
        turn = Turn(role="person", parts=(Text(WORDS),))
        await queue.submit(Generate(turns=(turn,)), id=f"job{number}", ticket=ticket.id, tenant="discord/1", person="discord/1")
        (claim,) = (await shift.claim([OFFER])).claims
        answer = Answer(text=WORDS, finish="stop", prompt_tokens=30, tokens=30, model="model")
        await shift.finish(claim, answer.model_dump_json(), 0.5)
        await tickets.record(ticket, "turn", b"", [Conversations(redis, keys).appending("discord/1/main/", turn)])
        await tickets.finish(ticket)
        await queue.drop(ticket.id)

    found = {
        "a server with choices": await _each(redis, lambda number: Servers(redis, keys).put(f"telegram/{number}", _SERVER)),
        "a ticket under way": await _each(redis, accept),
        f"a conversation of {TURNS} turns": await _each(redis, converse, 200),
    }
    for ticket in held:
        await tickets.finish(ticket)
    await redis.config_resetstat()
    found["a message with a job, for a day"] = await _each(redis, whole)
    stats = cast("dict[str, dict[str, float]]", await redis.info("commandstats"))
    scripts = [one for name, one in stats.items() if "eval" in name]
    calls, micros = (sum(one[what] for one in scripts) / COUNT for what in ("calls", "usec"))
    await shift.sign_off()
    await redis.aclose()
    told = {f"{name}: bytes": Figure.of([size], "bytes", GOALS[name], "lower") for name, (size, _) in found.items()}
    told |= {f"{name}: keys": Figure.of([count], "keys", 5.0, "lower") for name, (_, count) in found.items()}
    return told | {
        "a message with a job: scripts": Figure.of([calls], "calls", 10.0, "lower"),
        "a message with a job: time of the store": Figure.of([micros], "µs", 1000.0, "lower"),
    }


GOALS = {
    "a server with choices": 1000.0,
    "a ticket under way": 3000.0,
    f"a conversation of {TURNS} turns": 20_000.0,
    "a message with a job, for a day": 1500.0,
}

_SERVER = Server(choices=Choices(plugins={"imagine": True}, settings={"chat": {"model": "a-model"}}))


def _body(number: int) -> Body:
    message = Message(str(number), f"event{number}", Address("discord", f"{number % 500}", "main"), Person("1", "Ada"), (Text(WORDS),))
    return Body(plugin="chat", route="listener:chat", version="1", message=message)


def _turn(number: int) -> Turn:
    return Turn(role="bot" if number % 2 else "person", parts=(Text(WORDS),))


async def _each(redis: Redis, make: Callable[[int], Awaitable[object]], count: int = COUNT) -> tuple[float, float]:
    """(bytes, keys) of one of many."""
    before, keys = await _used(redis), await redis.dbsize()
    for number in range(count):
        await make(number)
    return (await _used(redis) - before) / count, (await redis.dbsize() - keys) / count


async def _used(redis: Redis) -> int:
    return int((await redis.info("memory"))["used_memory"])
