"""What is for one person alone never stands in a group: it comes with the confirmation of a click, or to the person's own chat."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.connector import Key, Post
from bot.connectors.telegram import TelegramConnector
from bot.connectors.telegram.aside import START, THERE
from bot.errors import ConnectorError, MessageGone
from bot.testing import wait_until
from tests.connectors.on_telegram import ANN, BEN, Ear, group, hearing, place
from tests.wire.telegram_chats import Chat
from tests.wire.telegram_rules import Refusal
from tests.wire.telegram_server import Telegram

SECRET = Post("your **secret**", private=True, person="11", about="7")


async def clicked(telegram: Telegram, connector: TelegramConnector, chat: Chat) -> str:
    """Ann presses a button in the group; what her click is called."""
    id = await connector.send(place(chat), Post("pick", keys=(Key("k1", "More"),)), "n")
    ear = Ear()
    async with hearing(connector, ear):
        telegram.chats.click(chat, ANN, chat.messages[int(id)], "More")
        await wait_until(lambda: ear.heard)
    return ear.heard[0].via


async def test_short_words_come_with_the_confirmation_of_the_click(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    via = await clicked(telegram, on_telegram, chat)
    assert await on_telegram.send(place(chat), replace(SECRET, via=via), "m") == via
    [confirmed] = telegram.methods.answered.values()
    assert (confirmed["text"], confirmed["show_alert"]) == ("your secret", True)
    assert chat.said == ["pick"]


async def test_long_words_go_to_the_persons_own_chat_and_the_click_says_where(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat, alone = group(telegram), telegram.chats.direct(ANN)
    via = await clicked(telegram, on_telegram, chat)
    long = "secret " * 100
    assert await on_telegram.send(place(chat), replace(SECRET, text=long, via=via), "m") == via
    assert (chat.said, alone.said) == (["pick"], [long.strip()])
    assert next(iter(telegram.methods.answered.values()))["text"] == THERE


async def test_a_command_is_answered_alone_and_the_group_learns_where_once(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat, alone = group(telegram), telegram.chats.direct(ANN)
    asked = telegram.chats.say(chat, ANN, "/mydata")
    parts = [replace(SECRET, text=text, about=str(asked["message_id"]), reply_to=str(asked["message_id"])) for text in ("one", "two")]
    first, second = [await on_telegram.send(place(chat), part, part.text) for part in parts]
    assert alone.said == ["one", "two"]
    assert (chat.said, first) == ([THERE], second)
    [[button]] = chat.mine[0]["reply_markup"]["inline_keyboard"]
    assert button["url"] == "https://t.me/hobnob_bot"
    await on_telegram.edit(place(chat), first, parts[0])
    assert chat.said == [THERE]


async def test_what_its_person_has_is_not_said_again_where_the_group_can_be_told_only_later(
    telegram: Telegram, on_telegram: TelegramConnector
) -> None:
    chat, alone = group(telegram), telegram.chats.direct(ANN)
    telegram.fail("sendMessage", Refusal(429, "Too Many Requests: retry after 7", retry_after=7), after=1)
    with pytest.raises(ConnectorError):
        await on_telegram.send(place(chat), SECRET, "n")
    await on_telegram.send(place(chat), SECRET, "n")
    assert (alone.said, chat.said) == (["your secret"], [THERE])
    await on_telegram.send(place(chat), replace(SECRET, about="8"), "m")
    assert alone.said == ["your secret"] * 2


@pytest.mark.parametrize("blocked", [True, False])
async def test_whom_the_bot_may_not_write_to_is_told_how_to_change_that(
    telegram: Telegram, on_telegram: TelegramConnector, blocked: bool
) -> None:
    chat = group(telegram)
    if blocked:
        telegram.chats.direct(ANN).bot = "kicked"
    await on_telegram.send(place(chat), SECRET, "n")
    assert chat.said == [START]


async def test_who_speaks_for_a_group_has_no_chat_of_their_own(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    await on_telegram.send(place(chat), replace(SECRET, person=str(chat.id)), "n")
    assert len(chat.said) == 1
    assert "secret" not in chat.said[0]


async def test_what_is_being_made_for_one_person_is_seen_by_nobody_else(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    telegram.chats.direct(BEN)
    busy = replace(SECRET, busy=True, partial=True, keys=(Key("c", "Cancel"),))
    id = await on_telegram.send(place(chat), busy, "n")
    await on_telegram.edit(place(chat), id, replace(busy, text="more of the secret", keys=()))
    assert chat.said == ["…"]
    with pytest.raises(MessageGone):
        await on_telegram.edit(place(chat), id, SECRET)
