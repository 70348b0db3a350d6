"""What is posted to Telegram stands where it should, as it should."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.connector import Key, Post, Upload
from bot.connectors.telegram import TelegramConnector
from bot.connectors.telegram.drafts import Drafts
from bot.connectors.telegram.styled import Styled
from bot.errors import ConnectorError
from bot.messages import Address, Clicked
from bot.testing import wait_until
from tests.connectors.on_telegram import ANN, BEN, PNG, group, heard, place
from tests.wire.telegram_rules import Json, Refusal, bad
from tests.wire.telegram_server import Call, Telegram
from tests.wire.telegram_spec import faults, spec


async def test_a_post_stands_where_it_was_asked_for_and_an_edit_replaces_it(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    forum = group(telegram, forum=True)
    topic = telegram.chats.topic(forum, "Cats")
    question = telegram.chats.compose(forum, ANN, "well?", topic=topic)
    post = Post("**so**", reply_to=str(question["message_id"]), silent=True)

    id = await on_telegram.send(place(forum, topic), post, "n")
    await on_telegram.edit(place(forum, topic), id, replace(post, text="**so** it is", keys=(Key("k", "Again"),)))
    await on_telegram.edit(place(forum, topic), id, replace(post, text="**so** it is", keys=(Key("k", "Again"),)))

    [message] = forum.mine
    assert (message["text"], message["message_thread_id"], message["silent"]) == ("so it is", topic, True)
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    assert message["reply_to_message"]["message_id"] == question["message_id"]
    assert message["reply_markup"]["inline_keyboard"] == [[{"text": "Again", "callback_data": "k"}]]
    assert telegram.asked("sendMessage")[0]["link_preview_options"] == {"is_disabled": True}


async def test_a_question_that_is_gone_is_answered_all_the_same(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    await on_telegram.send(place(chat), Post("late", reply_to="99"), "n")
    assert chat.said == ["late"]


async def test_every_part_of_an_answer_stays_among_the_comments_of_a_channels_post(
    telegram: Telegram, on_telegram: TelegramConnector
) -> None:
    lounge = group(telegram)
    post = telegram.chats.compose(lounge, ANN, "news", is_automatic_forward=True)
    comment = telegram.chats.say(lounge, ANN, "tell me more", reply_to=post)
    about = str(comment["message_id"])
    await on_telegram.send(place(lounge), Post("part one", reply_to=about, about=about), "n")
    await on_telegram.send(place(lounge), Post("part two", about=about), "m")
    assert [message["message_thread_id"] for message in lounge.mine] == [post["message_id"]] * 2
    assert ["silent" in message for message in lounge.mine] == [False, True]


async def test_files_are_shown_as_what_they_are(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    for name, mime in {
        "a.png": "image/png",
        "b.ogg": "audio/ogg",
        "c.mp3": "audio/mpeg",
        "d.md": "text/markdown",
        "e.png": "image/png",
    }.items():
        content = PNG if name == "a.png" else b"no picture"
        await on_telegram.send(place(chat), Post("*look*", uploads=(Upload(name, mime, content, spoiler=True),)), name)

    kinds = [next(kind for kind in ("photo", "voice", "audio", "document") if kind in message) for message in chat.mine]
    assert kinds == ["photo", "voice", "audio", "document", "document"]
    assert {message["caption"] for message in chat.mine} == {"look"}
    assert all(message["caption_entities"] for message in chat.mine)
    assert chat.actions == ["upload_photo", "upload_voice", "upload_document", "upload_document", "upload_photo"]
    assert chat.mine[0]["has_media_spoiler"]
    assert telegram.chats.files[chat.mine[4]["document"]["file_id"]][:2] == b"PK", "Telegram shows documents as they are"


async def test_a_file_comes_where_its_sign_cannot_be_shown(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    telegram.fail("sendChatAction", bad("TOPIC_CLOSED"), Refusal(429, "Too Many Requests: retry after 9", retry_after=9))
    for name in ("a.png", "b.png"):
        await on_telegram.send(place(chat), Post(name, uploads=(Upload(name, "image/png", PNG),)), name)
    assert chat.said == ["a.png", "b.png"]


async def test_where_files_are_forbidden_words_say_so(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat, picture = group(telegram), Upload("a.png", "image/png", PNG)
    forbidden = bad("not enough rights to send photos to the chat")
    for method in ("sendPhoto", "sendMediaGroup", "editMessageMedia"):
        telegram.fail(method, forbidden)
    id = await on_telegram.send(place(chat), Post("one", uploads=(picture,)), "n")
    await on_telegram.send(place(chat), Post("two", uploads=(picture, picture)), "m")
    await on_telegram.edit(place(chat), id, Post("changed", uploads=(picture,)))
    assert [text.partition("\n")[0] for text in chat.said] == ["changed", "two"]
    assert all("Send Media" in text for text in chat.said)


async def test_several_pictures_are_an_album_with_the_buttons_below(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    pictures = tuple(Upload(f"{n}.png", "image/png", PNG + bytes([n])) for n in range(3))
    await on_telegram.send(place(chat), Post("three", uploads=pictures), "a")
    await on_telegram.send(place(chat), Post("three", uploads=pictures, keys=(Key("k", "Again"),)), "b")

    first, second, third, *others, keys = chat.mine
    assert first["media_group_id"] == second["media_group_id"] == third["media_group_id"]
    assert (first["caption"], second.get("caption"), len(others)) == ("three", None, 3)
    assert (keys["text"], keys["reply_markup"]["inline_keyboard"][0][0]["text"]) == ("three", "Again")


async def test_an_album_that_stands_is_not_sent_again_for_the_sake_of_its_buttons(
    telegram: Telegram, on_telegram: TelegramConnector
) -> None:
    chat = telegram.chats.direct(ANN)
    post = Post("two", uploads=tuple(Upload(f"{n}.png", "image/png", PNG + bytes([n])) for n in range(2)), keys=(Key("k", "Again"),))
    telegram.fail("sendMessage", Refusal(429, "Too Many Requests: retry after 7", retry_after=7))
    with pytest.raises(ConnectorError):
        await on_telegram.send(place(chat), post, "a")
    id = await on_telegram.send(place(chat), post, "a")
    first, second, keys = chat.mine
    assert (id, first["media_group_id"], keys["text"]) == (str(first["message_id"]), second["media_group_id"], "two")


async def test_who_presses_a_button_below_an_album_means_its_pictures(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    pictures = tuple(Upload(f"{n}.png", "image/png", PNG + bytes([n])) for n in range(10))
    await on_telegram.send(place(chat), Post("ten", uploads=pictures, keys=(Key("k" * 24, "Delete"),)), "a")
    telegram.chats.click(chat, ANN, chat.mine[-1], "Delete")
    [click] = await heard(on_telegram)
    assert click.trigger == Clicked("k" * 24)
    assert click.reply_to is not None
    assert [part.kind for part in click.reply_to.parts] == ["text", "image"], "Telegram shows the first alone"
    await on_telegram.delete(place(chat), click.reply_to.id)
    assert chat.mine == []


async def test_whoever_makes_a_click_up_gets_no_message_of_others_deleted(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    words = telegram.chats.say(chat, BEN, "mine")
    id = await on_telegram.send(place(chat), Post("", keys=(Key("k", "Delete"),)), "n")
    forged = {**chat.messages[int(id)], "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": f"k⬆{words['message_id']}"}]]}}
    query = telegram.chats.click(chat, ANN, forged, "x")
    telegram.told[-1]["callback_query"]["message"] = chat.messages[int(id)]
    *_, click = await heard(on_telegram, 2)
    assert (click.event, click.trigger) == (f"click:{query}", Clicked("k"))
    assert click.reply_to is not None and click.reply_to.id == id


async def test_files_of_different_kinds_are_documents_side_by_side(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    await on_telegram.send(place(chat), Post("", uploads=(Upload("a.png", "image/png", PNG), Upload("b.md", "text/markdown", b"b"))), "n")
    assert [message.keys() & {"photo", "document"} for message in chat.mine] == [{"document"}, {"document"}]


async def test_a_status_line_can_become_a_picture(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    id = await on_telegram.send(place(chat), Post("Waiting.", busy=True, keys=(Key("c", "Cancel"),)), "n")
    await on_telegram.edit(place(chat), id, Post("done", uploads=(Upload("a.png", "image/png", PNG),)))
    [message] = chat.mine
    assert ("photo" in message, message["caption"], "text" in message, "reply_markup" in message) == (True, "done", False, False)
    await on_telegram.edit(place(chat), id, Post("other words"))
    assert chat.said == ["other words"]


async def test_an_answer_that_is_being_written_is_a_draft_alone_with_a_person(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat, lounge = telegram.chats.direct(ANN), group(telegram)
    partial = Post("so f", busy=True, partial=True, keys=(Key("c", "Cancel"),))
    assert await on_telegram.send(place(chat), partial, "n") == ""
    assert await on_telegram.send(place(chat), replace(partial, text="so far **so**"), "n") == ""
    assert await on_telegram.send(place(lounge), partial, "n") != ""

    [draft] = chat.drafts.values()
    assert [change["text"] for change in draft] == ["so f", "so far so"]
    assert chat.said == []
    assert await on_telegram.send(place(chat), Post("so far so good"), "n") != ""
    assert chat.said == ["so far so good"]


async def test_a_draft_is_kept_up_until_the_message_comes(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    assert on_telegram._drafts is not None
    on_telegram._drafts.again = 0.01
    await on_telegram.send(place(chat), Post("so", busy=True, partial=True), "n")
    await wait_until(lambda: len(next(iter(chat.drafts.values()))) > 2)
    await on_telegram.send(place(chat), Post("so it is"), "n")
    assert not on_telegram._drafts._keeping


async def test_of_several_drafts_in_a_chat_one_is_kept_up_and_none_that_was_ended_before_it_stood() -> None:
    sent: list[int] = []
    stands = asyncio.Event()

    async def put(to: Address, number: int, words: Styled) -> None:
        sent.append(number)
        await stands.wait()

    chat, words, drafts, before = Address("telegram", "11", "main", direct=True), Styled("so"), Drafts(put), asyncio.all_tasks()
    both = asyncio.gather(drafts.show(chat, "n", words), drafts.show(chat, "m", words))
    await wait_until(lambda: len(sent) == 2)
    [_] = drafts._keeping
    assert len(asyncio.all_tasks() - before) == 3  # the two that show, and what keeps one of them up
    await drafts.end(chat)
    stands.set()
    await both
    assert asyncio.all_tasks() == before

    drafts.again = 0.0
    await drafts.show(chat, "n", words)
    await wait_until(lambda: not drafts._keeping)
    assert len(sent) > 3


async def test_a_server_without_drafts_gets_messages(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    drafts, other = on_telegram._drafts, telegram.chats.direct(BEN)
    assert await on_telegram.send(place(other), Post("so", busy=True, partial=True), "n") == ""
    telegram.fail("sendMessageDraft", Refusal(404, "Not Found: method not found"))
    chat = telegram.chats.direct(ANN)
    partial = Post("so f", busy=True, partial=True)
    assert await on_telegram.send(place(chat), partial, "n") != ""
    assert await on_telegram.send(place(chat), partial, "m") != ""
    assert [call.method for call in telegram.calls].count("sendMessageDraft") == 2
    assert drafts is not None
    assert not drafts._keeping


async def test_a_group_that_became_a_supergroup_is_followed(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    old = telegram.chats.group(-55, "Small", kind="group")
    new = telegram.chats.migrate(old)
    await on_telegram.send(place(old), Post("still here"), "n")
    assert new.said == ["still here"]


async def test_what_is_gone_is_deleted_and_what_cannot_be_edited_says_so_once(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    id = await on_telegram.send(place(chat), Post("x"), "n")
    await on_telegram.delete(place(chat), id)
    await on_telegram.delete(place(chat), id)
    with pytest.raises(ConnectorError, match="not found") as caught:
        await on_telegram.edit(place(chat), id, Post("y"))
    assert caught.value.retry_after is None


FAULTS: dict[str, tuple[Json, float | None]] = {
    "flood": ({"code": 429, "description": "Too Many Requests: retry after 7", "retry_after": 7}, 7.0),
    "kicked": ({"code": 403, "description": "Forbidden: bot was kicked from the supergroup chat"}, None),
    "down": ({"code": 502, "description": "Bad Gateway"}, 1.0),
    "rights": ({"code": 400, "description": "Bad Request: not enough rights to send text messages to the chat"}, None),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_refusal_says_when_to_try_again(telegram: Telegram, on_telegram: TelegramConnector, fault: str) -> None:
    refusal, pause = FAULTS[fault]
    telegram.fail("sendMessage", Refusal(**refusal))
    with pytest.raises(ConnectorError) as caught:
        await on_telegram.send(place(telegram.chats.direct(ANN)), Post("x"), "n")
    assert (caught.value.retry_after, caught.value.limited) == (pause, fault == "flood")


async def test_a_send_whose_answer_never_came_is_counted(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    await on_telegram.send(place(chat), Post("first"), "n")
    telegram.fail("sendMessage", None)
    with capture_logs() as logs, pytest.raises(ConnectorError) as caught:
        await on_telegram.send(place(chat), Post("second"), "n")
    assert caught.value.retry_after is not None
    assert [line["event"] for line in logs] == ["telegram.unsure"]
    assert chat.said == ["first", "second"]


async def test_the_strict_platform_refuses_what_the_real_one_would(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    await on_telegram.send(place(telegram.chats.direct(ANN)), Post("x"), "n")
    bot = on_telegram._bot
    for text, fault in {"x" * 4097: "too long", "": "empty", " ": "empty"}.items():
        with pytest.raises(Exception, match=fault):
            await bot.send_message(11, text)
    assert str(bad("x")) == "Bad Request: x"


def test_all_that_goes_over_the_wire_is_held_against_the_published_description() -> None:
    if not spec():
        pytest.skip("the published description of the Bot API is not at hand: ../shared/specs/telegram-bot-api.json")
    platform = Telegram()
    platform.calls.append(Call("sendMessage", {"chat_id": 1, "txt": "x"}, {"message_id": "1"}))
    assert faults(platform) == [
        "sendMessage: has no field txt",
        "sendMessage: lacks text",
        "sendMessage gives: lacks date",
        "sendMessage gives: lacks chat",
        "sendMessage gives.message_id: expected Integer, found '1'",
    ]


async def test_a_question_opens_the_reply_for_who_is_asked(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    asked = "/roll <sides>: How many. Reply to this message with it."
    await on_telegram.send(place(telegram.chats.direct(ANN)), Post(asked, fault=True, asks=True), "n")
    await on_telegram.send(place(telegram.chats.direct(ANN)), Post(asked, fault=True, keys=(Key("choose.6", "6"),)), "m")
    call, other = telegram.asked("sendMessage")
    assert "inline_keyboard" in other["reply_markup"]
    assert call["reply_markup"] == {"force_reply": True, "selective": True}
    assert call["text"] == asked
