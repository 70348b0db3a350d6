"""A scripted router and a bot's account on the Telegram of the tests, for all tests of its connector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

from bot.connectors.telegram import Account, TelegramConnector
from bot.membership import Joined
from bot.messages import Address, Message, Person
from bot.store.hearsay import Hearsay
from bot.testing import wait_until
from tests.wire.telegram_chats import Chat, person
from tests.wire.telegram_server import BOT, TOKEN, Telegram

ANN = person(11, "Ann", "de")
BEN = person(12, "Ben")
ME = Person(str(BOT["id"]), "Hobnob", bot=True)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class Ear:
    """A scripted router: remembers what it is given, after failing as often as it is told."""

    def __init__(self, *faults: Exception) -> None:
        self.heard: list[Message] = []
        self.joined: list[Message] = []
        self.faults = list(faults)

    async def __call__(self, message: Message) -> None:
        if self.faults and not isinstance(message.trigger, Joined):
            raise self.faults.pop(0)
        (self.joined if isinstance(message.trigger, Joined) else self.heard).append(message)


class Deaf:
    """Hears no names."""

    async def heard(
        self, server: Address, kind: Literal["channel", "person"], id: str, name: str, *, handle: str = "", may_be_old: bool = False
    ) -> None:
        """Keeps nothing."""

    async def known(self, server: Address, kind: Literal["channel", "person"]) -> Mapping[str, str]:
        return {}

    async def called(self, server: Address, handle: str) -> Person | None:
        return None


def connected(telegram: Telegram, hearsay: Hearsay) -> TelegramConnector:
    return TelegramConnector(Account(TOKEN, telegram.root, f"{telegram.root}/file", wait=5), hearsay)


@asynccontextmanager
async def hearing(connector: TelegramConnector, ear: Ear) -> AsyncIterator[None]:
    task = asyncio.create_task(connector.run(ear))
    yield
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled(), task.exception()


async def heard(connector: TelegramConnector, count: int = 1) -> list[Message]:
    """What the router is given of what people have done so far."""
    ear = Ear()
    async with hearing(connector, ear):
        await wait_until(lambda: len(ear.heard) >= count)
    assert len(ear.heard) == count
    return ear.heard


def group(telegram: Telegram, *, forum: bool = False) -> Chat:
    return telegram.chats.group(-1001, "Lounge", forum=forum)


def place(chat: Chat, topic: int = 0) -> Address:
    return Address("telegram", str(chat.id), "main", str(topic or ""), chat.direct)
