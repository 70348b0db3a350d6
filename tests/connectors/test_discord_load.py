"""Many answers at once on Discord: none is refused for coming too often, and each arrives whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from bot.messages import Address, Message, Person, Reply, Text
from bot.router.delivery import Delivery, Line
from bot.router.journal import Journal
from bot.router.pace import Pace
from bot.router.posts import Posts
from bot.store.tickets import Body, Ticket, Write
from tests.connectors.test_discord_gateway import Ear, connected, discord, general
from tests.wire.discord_server import Discord

__all__ = ["discord"]

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
