"""Telegram, through the whole product, against a strict Telegram on loopback."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from bot.connectors.telegram.styled import JOINER
from bot.testing import wait_until
from tests.connectors.contract import PATIENCE, Contract
from tests.house import House
from tests.wire.telegram_chats import Chat, person
from tests.wire.telegram_rules import Json
from tests.wire.telegram_server import TOKEN, Telegram
from tests.wire.telegram_spec import faults

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
[connectors.telegram]
token = "{token}"
api_url = "{url}"
file_url = "{url}/file"
"""
ADA = person(11, "Ada")


@dataclass
class Group:
    """A forum, and Ada in it; implements `contract.Chat`."""

    telegram: Telegram
    chat: Chat
    topic: int
    asked: list[Json] = field(default_factory=list)

    async def ask(self, text: str, *, file: bytes | None = None, topic: bool = False, addressed: bool = True) -> None:
        said = f"@hobnob_bot {text}" if addressed else text
        more = {} if file is None else {"document": {**self.telegram.chats.file(file), "file_name": "file.txt", "mime_type": "text/plain"}}
        self.asked.append(self.telegram.chats.say(self.chat, ADA, said, topic=self.topic if topic else 0, **more))

    async def call(self, command: str, words: str) -> None:
        self.telegram.chats.say(self.chat, ADA, f"/{command} {words}")

    def _said(self, topic: int = 0) -> list[Json]:
        return [message for message in self.chat.mine if message.get("message_thread_id", 0) == topic]

    def texts(self, *, topic: bool = False) -> list[str]:
        said = self._said(self.topic if topic else 0)
        words = [str(message.get("text", message.get("caption", ""))) for message in said]
        return [text.replace(JOINER, "") for text in words if text]

    def files(self) -> list[bytes]:
        return [self.telegram.chats.files[message["document"]["file_id"]] for message in self._said() if "document" in message]

    def edits(self) -> int:
        return sum(call["chat_id"] == self.chat.id for call in self.telegram.asked("editMessageText"))

    def labels(self) -> list[str]:
        markup = self._said()[-1].get("reply_markup", {}) if self._said() else {}
        return [button["text"] for row in markup.get("inline_keyboard", []) for button in row]

    async def press(self, label: str) -> None:
        self.telegram.chats.click(self.chat, ADA, self._said()[-1], label)

    async def connected(self) -> None:
        """Telegram keeps what is said until somebody asks for it."""

    async def delete_question(self) -> None:
        raise AssertionError("Telegram does not tell bots what people delete")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def telegram() -> AsyncIterator[Telegram]:
    async with Telegram().serving() as platform:
        yield platform
    assert not faults(platform)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(telegram: Telegram, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The product, connected."""
    made = House(tmp_path_factory.mktemp("telegram"), CONFIG.format(token=TOKEN, url=telegram.root))
    with made.begin("run") as process:  # not `running`, which would keep this loop from answering the bot
        try:
            await wait_until(lambda: telegram.polled, PATIENCE)
        except AssertionError:
            raise AssertionError(made.log) from None
        yield made
        process.terminate()
        await wait_until(lambda: process.poll() is not None, PATIENCE)
    assert TOKEN not in made.log


@pytest_asyncio.fixture(loop_scope="module")
async def chat(telegram: Telegram, house: House) -> Group:
    """A forum of its own for each test."""
    forum = telegram.chats.group(-1000000000000 - telegram.chats.next_id(), "Lounge", forum=True)
    return Group(telegram, forum, telegram.chats.topic(forum, "Cats"))


class TestTelegram(Contract):
    """What every connector keeps."""

    async def test_alone_with_a_person_an_answer_is_a_draft_before_it_is_a_message(self, telegram: Telegram, house: House) -> None:
        alone = telegram.chats.direct(ADA)
        with house.holding() as held:
            telegram.chats.say(alone, ADA, "one **two** three")
            await wait_until(held.exists, PATIENCE)
            await wait_until(lambda: alone.drafts, PATIENCE)
            assert "typing" in alone.actions
            assert alone.said == []
        await wait_until(lambda: alone.said == ["one two three"], PATIENCE)
        assert alone.mine[0]["entities"] == [{"type": "bold", "offset": 4, "length": 3}]

    async def test_when_the_leader_stands_still_another_router_receives_and_gives_way_to_none(
        self, telegram: Telegram, chat: Group, house: House
    ) -> None:
        first = house.family["router"]
        with house.begin("router") as second:
            try:
                await wait_until(lambda: "stands by" in house.log or second.poll() is not None, PATIENCE)
                first.send_signal(signal.SIGSTOP)
                await chat.ask("who is there")
                await wait_until(lambda: chat.texts() == ["@Hobnob who is there"], PATIENCE)
            finally:
                first.send_signal(signal.SIGCONT)
            await chat.ask("and now")
            await wait_until(lambda: len(chat.texts()) == 2 and chat.labels() == [], PATIENCE)
            assert chat.texts()[1] == "@Hobnob and now"
            second.terminate()
            await wait_until(lambda: second.poll() is not None, PATIENCE)
        await wait_until(lambda: telegram.polled, PATIENCE)
