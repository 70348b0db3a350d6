"""Telegram, through the whole product, against a strict Telegram on loopback."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.contract import PATIENCE, Contract
from tests.house import House
from tests.wire.telegram_chats import Chat, person, topic_of, words
from tests.wire.telegram_rules import Json
from tests.wire.telegram_server import TOKEN, Telegram
from tests.wire.telegram_spec import faults

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
[admission]
servers = "open"
direct = "open"
[connectors.telegram]
token = "{token}"
api_url = "{url}"
file_url = "{url}/file"

[talking.places]
"telegram/-1000000000001" = {{ listens = true }}
"telegram/-1000000000002/77" = {{ listens = true }}
"telegram/-1000000000003" = {{ words = ["computer", "小智"] }}
"""
ALWAYS, TOPICAL, CALLED = -1_000_000_000_001, -1_000_000_000_002, -1_000_000_000_003
ADA, BEN = person(11, "Ada"), person(12, "Ben")


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
        return [message for message in self.chat.mine if topic_of(message) == topic]

    def texts(self, *, topic: bool = False) -> list[str]:
        said = self._said(self.topic if topic else 0)
        return [text for message in said if (text := words(message))]

    def files(self) -> list[bytes]:
        return [self.telegram.chats.files[message["document"]["file_id"]] for message in self._said() if "document" in message]

    def edits(self) -> int:
        return sum(call["chat_id"] == self.chat.id for call in self.telegram.asked("editMessageText"))

    def labels(self) -> list[str]:
        markup = self._said()[-1].get("reply_markup", {}) if self._said() else {}
        return [button["text"] for row in markup.get("inline_keyboard", []) for button in row]

    async def press(self, label: str) -> None:
        self.telegram.chats.click(self.chat, ADA, self._said()[-1], label)

    async def pick(self, label: str) -> None:
        await self.press(label)
        await wait_until(lambda: "One of Lounge." in self.texts()[-1], PATIENCE)
        self.telegram.chats.say(self.chat, ADA, "lounge", reply_to=self._said()[-1])

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
            await wait_until(lambda: telegram.polled, 2 * PATIENCE)  # everything has to start first
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

    async def test_what_is_shown_as_a_draft_is_cancelled_by_a_command(self, telegram: Telegram, house: House) -> None:
        alone = telegram.chats.direct(BEN)
        with house.holding() as held:
            telegram.chats.say(alone, BEN, "one two three")
            await wait_until(held.exists, PATIENCE)
            await wait_until(lambda: alone.drafts, PATIENCE)
            telegram.chats.say(alone, BEN, "/cancel")
            await wait_until(lambda: alone.said == ["Cancelled."], PATIENCE)
        telegram.chats.say(alone, BEN, "/cancel")
        await wait_until(lambda: len(alone.said) == 2, PATIENCE)
        assert alone.said[1].startswith("There is nothing of yours")

    async def test_what_is_for_one_person_comes_to_their_own_chat(self, telegram: Telegram, chat: Group) -> None:
        eve = person(13, "Eve")
        alone = telegram.chats.direct(eve)
        telegram.chats.say(chat.chat, eve, "/say nobody else --secretly")
        await wait_until(lambda: alone.said == ["nobody else"], PATIENCE)
        await wait_until(lambda: chat.labels() == ["Open the chat"], PATIENCE)
        assert "nobody else" not in " ".join(chat.texts())

    async def test_where_it_always_listens_nobody_needs_to_mention_it(self, telegram: Telegram, house: House) -> None:
        always = telegram.chats.group(ALWAYS, "Always")
        said = telegram.chats.say(always, ADA, "no name called")
        await wait_until(lambda: always.said == ["no name called"], PATIENCE)
        telegram.chats.say(always, BEN, "I agree with you", reply_to=said)
        telegram.chats.say(always, ADA, "and now")
        await wait_until(lambda: always.said == ["no name called", "and now"], PATIENCE)

    async def test_one_topic_may_always_be_listened_to(self, telegram: Telegram, house: House) -> None:
        forum = telegram.chats.group(TOPICAL, "Forum", forum=True)
        forum.topics = {77: "Bot", 78: "People"}
        for topic in (78, 0, 77):
            telegram.chats.say(forum, ADA, f"in {topic}", topic=topic)
        await wait_until(lambda: forum.said, PATIENCE)
        assert [(message["text"], topic_of(message)) for message in forum.mine] == [("in 77", 77)]

    async def test_a_word_calls_it_where_it_stands_as_a_word(self, telegram: Telegram, house: House) -> None:
        called = telegram.chats.group(CALLED, "Called")
        for said in ("computers are fine", "so, Computer: hello", "你好小智在吗"):
            telegram.chats.say(called, ADA, said)
        await wait_until(lambda: sorted(called.said) == ["so, Computer: hello", "你好小智在吗"], PATIENCE)  # nothing says which first

    async def test_a_command_whose_message_is_edited_runs_once(self, telegram: Telegram, chat: Group) -> None:
        said = telegram.chats.say(chat.chat, ADA, "/say hello")
        await wait_until(lambda: chat.texts() == ["hello"], PATIENCE)
        telegram.chats.edit(chat.chat, said, "/say hello, everybody")
        await chat.ask("and now")
        await wait_until(lambda: chat.texts() == ["hello", "@Hobnob and now"], PATIENCE)

    async def test_when_the_leader_stands_still_or_dies_another_router_receives(
        self, telegram: Telegram, chat: Group, house: House
    ) -> None:
        first = house.family["router"]

        async def idle() -> bool:
            async with house.store() as redis:
                return not await redis.zcard(Keys().ticket_leases())

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
            await wait_until(idle, PATIENCE)  # else it might be said again
            assert chat.texts()[1] == "@Hobnob and now"
            second.kill()
            await wait_until(lambda: second.poll() is not None, PATIENCE)
            await chat.ask("once more")
            await wait_until(lambda: len(chat.texts()) == 3 and chat.labels() == [], PATIENCE)
            assert chat.texts()[2] == "@Hobnob once more"
        await wait_until(lambda: telegram.polled, PATIENCE)
