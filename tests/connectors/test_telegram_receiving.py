"""Nothing that Telegram told is lost, and nothing that is broken silences it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.connectors.telegram import Account, TelegramConnector
from bot.errors import ConnectorError, StoreError
from bot.membership import Joined
from bot.messages import Message
from bot.store import embedded
from bot.store.hearsay import Hearsay
from bot.testing import wait_until
from bot.testing.contract import PATIENCE
from tests.connectors.on_telegram import ANN, BEN, Ear, connected, group, heard, hearing
from tests.connectors.test_telegram_webhooks import CONFIG
from tests.house import House
from tests.wire.telegram_rules import Refusal
from tests.wire.telegram_server import TOKEN, Telegram


async def test_the_offset_moves_only_after_the_router_has_written_everything(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    ear = Ear(StoreError("away"), StoreError("still away"))
    one = telegram.chats.say(chat, ANN, "one")
    telegram.chats.say(chat, ANN, "two")
    assert one["text"] == "one"
    with capture_logs() as logs:
        async with hearing(on_telegram, ear):
            await wait_until(lambda: len(ear.faults) == 1)
            assert telegram.confirmed == 0
            await wait_until(lambda: telegram.confirmed > telegram.told[-1]["update_id"])
    assert [message.text for message in ear.heard] == ["one", "two"]
    assert [line["fault"] for line in logs if line["event"] == "updates wait"] == ["away", "still away"]


async def test_a_group_whose_joining_could_not_be_written_down_is_told_of_again(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    told: list[Message] = []
    away = [StoreError("away")]

    async def deliver(message: Message) -> None:
        if isinstance(message.trigger, Joined) and message.address.server and away:
            raise away.pop()
        told.append(message)

    telegram.chats.say(group(telegram), ANN, "one")
    task = asyncio.create_task(on_telegram.run(deliver))
    await wait_until(lambda: told and told[-1].text == "one")
    telegram.chats.say(group(telegram), ANN, "two")
    await wait_until(lambda: told[-1].text == "two")
    task.cancel()
    await asyncio.wait([task])
    assert [isinstance(message.trigger, Joined) for message in told if message.address.server] == [True, False, False]


async def test_a_group_whose_joining_is_not_understood_is_heard_all_the_same(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    told: list[Message] = []

    async def deliver(message: Message) -> None:
        told.append(message)
        if isinstance(message.trigger, Joined) and message.address.server:
            raise ValueError("a bug")

    telegram.chats.say(group(telegram), ANN, "one")
    telegram.chats.say(group(telegram), ANN, "two")
    with capture_logs() as logs:
        task = asyncio.create_task(on_telegram.run(deliver))
        await wait_until(lambda: told and told[-1].text == "two")
        task.cancel()
        await asyncio.wait([task])
    assert [message.text for message in told if message.address.server] == ["", "one", "two"]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["where the bot is was not delivered"]


async def test_an_album_that_is_told_over_two_polls_is_one_message(telegram: Telegram, tmp_path: Path) -> None:
    house = House(tmp_path, CONFIG.format(token=TOKEN, url=telegram.root, hook=""))
    alone, store = telegram.chats.direct(ANN), embedded.start(house.data)
    with house.begin("router", "--no-pages") as router:
        await wait_until(lambda: telegram.polled, 2 * PATIENCE)  # everything has to start first
        telegram.chats.album(alone, ANN, ["one", "two", "three"], "count")
        late = telegram.updates.pop()
        await wait_until(lambda: telegram.confirmed >= late["update_id"])
        telegram.again(late)
        await wait_until(lambda: alone.said, PATIENCE)
        router.terminate()
    store.terminate()
    store.wait(10)
    assert alone.said == ["3 files"]


async def test_a_chat_waits_for_no_other_and_keeps_its_order(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    quick, done = asyncio.Event(), []

    async def deliver(message: Message) -> None:
        if message.text == "slow":
            await quick.wait()
        done.append(message.text)
        if message.text == "quick":
            quick.set()

    for chat, who, words in ((1, ANN, "slow"), (1, ANN, "after"), (2, BEN, "quick")):
        telegram.chats.say(telegram.chats.group(-1000 - chat, "Lounge"), who, words)
    task = asyncio.create_task(on_telegram.run(deliver))
    await wait_until(lambda: "after" in done)
    task.cancel()
    await asyncio.wait([task])
    assert [words for words in done if words] == ["quick", "slow", "after"]


async def test_what_a_dying_router_had_not_accepted_reaches_the_next_one(
    telegram: Telegram, on_telegram: TelegramConnector, hearsay: Hearsay
) -> None:
    stuck = asyncio.Event()

    async def dying(message: Message) -> None:
        stuck.set()
        await asyncio.Event().wait()

    telegram.chats.say(telegram.chats.direct(ANN), ANN, "one")
    task = asyncio.create_task(on_telegram.run(dying))
    await stuck.wait()
    task.cancel()
    await asyncio.wait([task])

    second = connected(telegram, hearsay)
    assert [message.text for message in await heard(second)] == ["one"]
    await second.close()


async def test_a_broken_update_and_a_bug_silence_nobody(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    ear = Ear(ValueError("a bug"))
    telegram.again({"update_id": 1, "message": {"message_id": 1}})
    telegram.chats.say(telegram.chats.direct(ANN), ANN, "poison")
    telegram.chats.say(telegram.chats.direct(ANN), ANN, "fine")
    async with hearing(on_telegram, ear):
        await wait_until(lambda: ear.heard)
    assert [message.text for message in ear.heard] == ["fine"]


async def test_a_second_program_with_the_token_is_named_once_and_outlasted(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    telegram.fail("getUpdates", *[Refusal(409, "Conflict: terminated by other getUpdates request")] * 2)
    telegram.chats.say(telegram.chats.direct(ANN), ANN, "hello")
    with capture_logs() as logs:
        await heard(on_telegram)
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["updates wait"]


async def test_a_wrong_token_is_a_sentence_and_no_retry(telegram: Telegram, hearsay: Hearsay) -> None:
    connector = TelegramConnector(Account("1:wrong", telegram.root, telegram.root), hearsay)
    with pytest.raises(ConnectorError, match="@BotFather") as caught:
        await connector.run(Ear())
    assert caught.value.retry_after is None
    await connector.close()


async def test_a_platform_that_is_down_is_tried_again(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    telegram.fail("getMe", Refusal(502, "Bad Gateway"))
    with pytest.raises(ConnectorError) as caught:
        await on_telegram.run(Ear())
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 0
