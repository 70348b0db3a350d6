"""What only the asker may see, from the reply to the room: the whole of it arrives, and nobody else sees any."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.connectors.room import RoomConnector, address
from bot.forms import Button
from bot.messages import Message, Text
from bot.replies import Reply
from bot.router.delivery import Delivery, Line
from bot.router.journal import Journal
from bot.router.pace import Pace
from bot.router.posts import Posts
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.places import Draft, Place, RoomMessage, newcomer
from bot.store.plugindata import PluginData
from bot.store.rooms import Rooms
from bot.store.tickets import Body, Tickets
from bot.testing import wait_until

HALL = Place("hall")
ANN, BOB = newcomer("Ann"), newcomer("Bob")
LONG = " ".join(f"word{number}" for number in range(3_000))


@dataclass
class Asked:
    """Ann's question in the hall, and the line of its ticket."""

    rooms: Rooms
    line: Line
    question: str

    async def answers(self) -> list[RoomMessage]:
        return [message for message in await self.rooms.history(HALL) if message.id != self.question]


@pytest.fixture
async def asked(redis: Redis, keys: Keys, tmp_path: Path) -> AsyncIterator[Asked]:
    rooms, tickets = Rooms(redis, keys, tmp_path), Tickets(redis, keys, "r")
    question = await rooms.say(HALL, Draft(ANN, (Text("my settings?"),)))
    message = Message(question, question, address(HALL), ANN)
    [ticket] = await tickets.accept([Body(plugin="p", route="r", version="1", message=message)], 0, time.time())
    delivery = Delivery({"room": RoomConnector(rooms)}, Posts(Blobs(redis, keys), PluginData(redis, keys)), Pace())
    yield Asked(rooms, delivery.line(Journal(ticket, tickets, {})), question)
    await tickets.finish(ticket)
    await rooms.close()


def for_ann_alone(messages: list[RoomMessage], text: str) -> bool:
    whole = " ".join(message.text for message in messages)
    return whole == text and all(message.seen_by(ANN.id) and not message.seen_by(BOB.id) for message in messages)


@pytest.mark.parametrize("text", ["yours", LONG], ids=["short", "in pieces"])
async def test_a_private_answer_is_for_the_asker_alone(asked: Asked, text: str) -> None:
    await asked.line.settle(Reply(text, private=True))
    assert for_ann_alone(await asked.answers(), text)


@pytest.mark.parametrize("text", ["yours", LONG], ids=["short", "in pieces"])
async def test_a_private_message_beside_the_answer_is_for_the_asker_alone(asked: Asked, text: str) -> None:
    await asked.line.post(Reply(text, private=True, buttons=[Button("More", "more")]), "post")
    assert for_ann_alone(await asked.answers(), text)


async def test_a_status_line_that_becomes_a_private_answer_disappears_for_others(asked: Asked) -> None:
    asked.line.show(Reply("…"))
    await wait_until(asked.answers)
    await asked.line.settle(Reply(LONG, private=True))
    assert for_ann_alone(await asked.answers(), LONG)


async def test_a_message_beside_the_answer_replies_to_nothing(asked: Asked) -> None:
    await asked.line.post(Reply("by the way"), "post")
    [message] = await asked.answers()
    assert (message.head.reply_to, message.body.only) == ("", "")
