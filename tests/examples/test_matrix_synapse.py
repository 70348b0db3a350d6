"""The example of a connector on a real homeserver, Synapse, in an environment of its own. On one of ours: `test_matrix.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from bot import Message
from bot.connector import Connector
from bot.testing import wait_until
from bot.testing.connected import Connected, connected
from tests.environments import Uninstallable, environment
from tests.examples.test_matrix import ADA, BEN, Lounge, Ways, made
from tests.wire.matrix_server import BOT
from tests.wire.synapse import PACKAGES, Synapse, synapse

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def homeserver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Synapse]:
    try:
        python = environment("synapse", *PACKAGES)
    except Uninstallable as fault:
        pytest.skip(str(fault))
    async with synapse(python, tmp_path_factory.mktemp("synapse")) as server:
        yield server


@pytest.fixture
def connect(homeserver: Synapse) -> Callable[[], Connector]:
    return lambda: made(homeserver.url, homeserver.tokens[BOT])


@pytest_asyncio.fixture(loop_scope="module")
async def house(redis_url: str, connect: Callable[[], Connector]) -> AsyncIterator[Connected]:
    async with connected(redis_url, connect) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def chat(homeserver: Synapse, house: Connected) -> AsyncIterator[Lounge]:
    yield Lounge(homeserver, await homeserver.gather(BEN, BOT))
    await homeserver.part(BOT)


class TestSynapse(Ways):
    """What every connector keeps, and what Matrix has."""

    async def test_who_invites_the_bot_has_it_there_and_alone_everything_is_said_to_it(self, chat: Lounge, homeserver: Synapse) -> None:
        alone = Lounge(homeserver, await homeserver.gather(invited=BOT))
        await wait_until(lambda: homeserver.entered(alone.room, BOT), 60.0)
        await alone.say("just us")
        await wait_until(lambda: "just us" in alone.texts(), 60.0)


async def test_who_made_a_room_is_its_admin(homeserver: Synapse, connect: Callable[[], Connector]) -> None:
    connector: Any = connect()
    room, heard = await homeserver.gather(BEN, BOT), dict[str, bool]()

    async def deliver(message: Message) -> None:
        if message.address.server == room and message.parts:
            heard[message.sender.id] = message.manages

    running = asyncio.create_task(connector.run(deliver))
    for person in (ADA, BEN):
        await homeserver.happens(room, "m.room.message", person, {"msgtype": "m.text", "body": "hello"})
    await wait_until(lambda: len(heard) == 2, 60.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await connector.close()
    await homeserver.part(BOT)
    assert heard == {ADA: True, BEN: False}
