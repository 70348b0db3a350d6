"""Many answers at once on Discord: none is refused for coming too often, and each arrives whole."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.connector import Deliver, Limits, Post
from bot.connectors.discord.access import Access
from bot.connectors.discord.calls import turns
from bot.connectors.discord.connector import DiscordConnector
from bot.connectors.discord.gateway import READERS
from bot.connectors.discord.limits import ASIDE, RATE
from bot.errors import ConnectorError
from bot.messages import Address, Attachment, Message, Person, Text
from bot.replies import Reply
from bot.router.delivery import Delivery, Line
from bot.router.journal import Journal
from bot.router.pace import Pace
from bot.router.posts import Posts
from bot.spacing import Beside, Spacing
from bot.store.tickets import Body, Ticket, Write
from tests.connectors.on_discord import Ear, connected, general
from tests.leaping import Leaping, leap
from tests.test_spacing import most_in_a_second
from tests.wire.discord_limits import Limiter
from tests.wire.discord_server import Discord

STREAMS = 45
"""As many as Discord's 50 calls a second allow at one edit in 1.2 seconds."""

SECONDS = 4.0


class Nowhere:
    """Journals are kept for as long as the test."""

    async def record(self, ticket: Ticket, field: str, value: bytes, writes: Sequence[Write] = ()) -> bytes:
        return value

    def holds(self, since: float) -> bool:
        return True


def line(delivery: Delivery, asked: Message) -> Line:
    ticket = Ticket(f"{asked.id:0>32}"[::-1], 1, 1, Body(plugin="p", route="r", version="1", message=asked), time.time())
    return delivery.line(Journal(ticket, Nowhere(), {}))


async def answer(delivery: Delivery, asked: Message) -> None:
    """Streams a word every 50 ms."""
    stream, words = line(delivery, asked), [f"word{number}" for number in range(int(SECONDS / 0.05))]
    for count in range(1, len(words)):
        stream.show(Reply(" ".join(words[:count])), partial=True)
        await asyncio.sleep(0.05)
    await stream.settle(Reply(" ".join(words)))


async def test_many_streams_keep_within_the_limits_and_lose_nothing(discord: Discord) -> None:
    ear, ada = Ear(), discord.world.user("Ada")
    [guild] = discord.world.guilds.values()
    channels = [general(discord), *(discord.world.channel(guild, f"room-{number}") for number in range(STREAMS - 1))]
    async with connected(discord, ear) as connector:
        posts = Posts(cast("Any", SimpleNamespace()), cast("Any", SimpleNamespace()))  # neither files nor buttons
        delivery = Delivery({"discord": connector}, posts, Pace())
        async with asyncio.TaskGroup() as streams:
            for channel in channels:
                said = await discord.say(channel, ada, "a question")
                place = Address("discord", guild["id"], channel["id"])
                asked = Message(said["id"], said["id"], place, Person(ada["id"], "Ada"), (Text("a question"),))
                streams.create_task(answer(delivery, asked))
        texts = [discord.texts(channel) for channel in channels]
    whole = " ".join(f"word{number}" for number in range(int(SECONDS / 0.05)))
    assert texts == [[whole]] * STREAMS
    assert discord.refused == []
    edits = sum(call.method == "PATCH" for call in discord.record)
    assert edits > STREAMS, "they were streamed"
    assert discord.limiter.busiest <= 50


@dataclass
class Far:
    """Discord's limits, behind calls that take as long as they do over the internet; `limits` are those of our connector."""

    loop: Leaping
    own: DiscordConnector
    random: random.Random
    limiter: Limiter = field(init=False)
    refused: list[str] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    name: str = "discord"

    def __post_init__(self) -> None:
        self.limiter = Limiter(clock=self.loop.time)

    def limits(self, to: Address) -> Limits:
        return self.own.limits(to)

    async def run(self, deliver: Deliver) -> None: ...

    async def call(self, route: str, to: Address) -> None:
        await asyncio.sleep(self.random.uniform(0.02, 0.2))
        wait, _, _ = self.limiter.take(route, to.channel, exempt=False)
        await asyncio.sleep(self.random.uniform(0.02, 0.2))
        if wait:
            self.refused.append(route)
            raise ConnectorError("429", retry_after=wait)

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        await self.call("POST", to)
        self.shown[nonce] = post.text
        return nonce

    async def edit(self, to: Address, message: str, post: Post) -> None:
        await self.call("PATCH", to)
        self.shown[message] = post.text

    async def delete(self, to: Address, message: str) -> None:
        await self.call("DELETE", to)
        del self.shown[message]

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        yield b""


MINUTES = float(os.environ.get("LOAD_MINUTES", "15"))
"""How long the load lasts, on the clock of the test; `make chaos` has it last an hour."""


async def at_length(loop: Leaping) -> tuple[Far, int]:
    far = Far(loop, DiscordConnector(Access("token")), random.Random(7))
    return far, await busy(far, loop)


async def busy(far: Far, loop: Leaping) -> int:
    """Every channel is answered all the time, in 5 to 60 seconds; returns how many answers there were.

    Meanwhile the history of 1,000 channels is read, as after a start.
    """
    delivery, nobody = Delivery({"discord": far}, Posts(cast("Any", None), cast("Any", None)), Pace(loop.time)), Person("1", "Ada")
    ended, began = 0, loop.now

    async def channel(number: int) -> None:
        nonlocal ended
        place, count = Address("discord", "1", str(number)), 0
        await asyncio.sleep(far.random.uniform(0.0, 20.0))
        while loop.now - began < MINUTES * 60.0:
            count += 1
            asked = Message(f"{number}.{count}", f"{number}.{count}", place, nobody)
            stream, words = line(delivery, asked), far.random.randint(5, 60)
            for said in range(1, words):
                stream.show(Reply(f"{number}.{count} {said}"), partial=True)
                await asyncio.sleep(1.0)
            await stream.settle(Reply(f"{number}.{count} whole"))
            whole = [nonce for nonce, text in far.shown.items() if text == f"{number}.{count} whole"]
            assert len(whole) == 1
            del far.shown[whole[0]]
            ended += 1

    aside, quiet = Spacing(ASIDE, loop.time), iter(range(1000))

    async def read_history() -> None:
        for one in quiet:
            await aside.turn()
            await far.call("GET", Address("discord", "1", f"quiet-{one}"))

    async with asyncio.TaskGroup() as channels:
        for number in range(STREAMS):
            channels.create_task(channel(number))
        for _ in range(READERS):
            channels.create_task(read_history())
    return ended


def test_full_load_for_long_is_never_refused_and_every_answer_arrives_whole() -> None:
    far, answers = leap(at_length)
    assert answers > 60 * MINUTES
    assert far.shown == {}, "no status line is left"
    assert far.refused == []
    assert far.limiter.busiest <= 50


def test_routers_that_share_the_servers_share_the_calls() -> None:
    rates = [
        DiscordConnector(Access("t", shards=4, shard_ids=ids)).limits(Address("discord", "1", "2")).rate for ids in ((0,), (1, 2, 3), ())
    ]
    assert rates == [9.0, 27.0, 36.0]


HALF = Access("token", shards=2, shard_ids=(0,))


def test_a_router_with_half_of_the_shards_soon_knows_what_was_missed_in_its_250_servers() -> None:
    async def main(loop: Leaping) -> float:
        aside, began = turns(HALF, loop.time), loop.now
        for _ in range(250):
            await aside.turn()
        return loop.now - began

    assert leap(main) < 15.0, "it took 125 s with two calls a second"


@pytest.mark.parametrize("shards", [2, 5])
def test_what_is_read_meanwhile_makes_no_answer_wait_and_all_calls_keep_to_the_routers_part(shards: int) -> None:
    access = Access("token", shards=shards, shard_ids=(0,))

    async def main(loop: Leaping) -> tuple[list[float], list[float], list[float]]:
        aside, own, waits = turns(access, loop.time), Spacing(RATE * access.share, loop.time), list[float]()
        posts, reads = list[float](), list[float]()
        assert isinstance(aside, Beside)

        async def read() -> None:
            for _ in range(250):
                await aside.turn()
                reads.append(loop.now)

        async def post() -> None:
            await own.turn()  # as the router paces them
            asked = loop.now
            await aside.first()
            waits.append(loop.now - asked)
            posts.append(loop.now)

        reading = [asyncio.create_task(read()) for _ in range(READERS)]
        await asyncio.sleep(5.0)
        await asyncio.gather(*(post() for _ in range(200)))
        await asyncio.gather(*reading)
        return posts, reads, waits

    posts, reads, waits = leap(main)
    assert max(waits) < 1.0
    assert most_in_a_second(sorted(posts + reads)) <= (RATE + ASIDE) / shards
    assert sum(posts[0] < at < posts[-1] for at in reads) > 10, "they were read beside answers"


def test_a_router_with_a_small_part_of_the_bot_keeps_its_few_turns_for_posts() -> None:
    assert not isinstance(turns(Access("token", shards=32, shard_ids=(0,))), Beside)
