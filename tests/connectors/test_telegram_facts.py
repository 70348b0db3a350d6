"""What people do on Telegram, as the facts of a Message."""

from __future__ import annotations

import pytest

from bot.connector import Key, Post
from bot.connectors.telegram import TelegramConnector
from bot.messages import Address, Attachment, Audio, Called, Clicked, Image, Person, Reacted, Said, Text
from bot.testing import wait_until
from tests.connectors.on_telegram import ANN, BEN, ME, PNG, Ear, group, heard, hearing, place
from tests.wire.telegram_chats import ANONYMOUS, CHANNEL_BOT
from tests.wire.telegram_server import Telegram


async def test_words_alone_with_the_bot(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    said = telegram.chats.say(chat, ANN, "hello")

    [message] = await heard(on_telegram)

    assert (message.address, message.sender, message.text) == (Address("telegram", "11", "main", direct=True), Person("11", "Ann"), "hello")
    assert (message.id, message.event, message.at) == (str(said["message_id"]), f"11:{said['message_id']}", said["date"])
    assert (message.me, message.language, message.manages, message.trigger) == (ME.id, "de", True, Said())


async def test_in_a_group_it_is_a_mention_or_a_reply_that_speaks_to_the_bot(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    mine = await on_telegram.send(place(chat), Post("I am a bot."), "n")
    telegram.chats.say(chat, ANN, "hey @Hobnob_Bot and @somebody, listen")
    telegram.chats.say(chat, BEN, "really?", reply_to=chat.messages[int(mine)])
    telegram.chats.say(chat, BEN, "you", marked=[{"type": "text_mention", "offset": 0, "length": 3, "user": ANN}])

    mention, reply, named = await heard(on_telegram, 3)

    assert mention.mentions == (ME, Person("@somebody", "somebody"))
    assert not mention.manages
    assert reply.reply_to is not None
    assert (reply.reply_to.id, reply.reply_to.sender, reply.reply_to.parts) == (mine, ME, (Text("I am a bot."),))
    assert named.mentions == (Person("11", "Ann"),)


async def test_a_topic_is_a_thread_and_its_beginning_is_no_quote(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    forum = group(telegram, forum=True)
    topic = telegram.chats.topic(forum, "Cats")
    opening = telegram.chats.compose(forum, ANN, topic=topic, forum_topic_created={"name": "Cats", "icon_color": 7322096})
    telegram.chats.say(forum, ANN, "in the topic", topic=topic, reply_to=opening)
    general = telegram.chats.say(forum, ANN, "in General")
    telegram.chats.say(forum, BEN, "in General, too", reply_to=general)

    inside, *general_ones = await heard(on_telegram, 3)

    assert (inside.address.thread, inside.reply_to) == (str(topic), None)
    assert [one.address.thread for one in general_ones] == ["", ""]


async def test_replies_in_a_group_without_topics_are_no_topics(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    first = telegram.chats.say(chat, ANN, "one")
    telegram.chats.say(chat, BEN, "two", reply_to=first)

    assert [message.address.thread for message in await heard(on_telegram, 2)] == ["", ""]


@pytest.mark.parametrize("text", ["/roll --sides 20", "/roll@hobnob_bot --sides 20"])
async def test_a_command_with_and_without_the_bots_name(telegram: Telegram, on_telegram: TelegramConnector, text: str) -> None:
    telegram.chats.say(group(telegram), ANN, text)

    [message] = await heard(on_telegram)

    assert message.trigger == Called("roll", text="--sides 20", shared="@" not in text)
    assert (ME in message.mentions) == ("@" in text)


async def test_a_command_for_another_bot_is_none(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    telegram.chats.say(group(telegram), ANN, "/roll@other_bot 3")
    [message] = await heard(on_telegram)
    assert message.trigger == Said()


async def test_who_calls_a_command_manages_the_group_if_telegram_says_so(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.group(-1001, "Lounge", admins=[ANN])
    for who in (ANN, BEN, ANN, BEN):
        telegram.chats.say(chat, who, "/plugins")
    telegram.chats.say(chat, ANN, "only words")

    messages = await heard(on_telegram, 5)
    assert [message.manages for message in messages] == [True, False, True, False, False]
    assert [message.roles for message in messages] == [
        {"administrator": "Administrator"},
        {"member": "Member"},
        {"administrator": "Administrator"},
        {"member": "Member"},
        {},
    ]
    assert len(telegram.asked("getChatMember")) == 3, "whoever manages is asked for each time"


async def test_an_anonymous_admin_and_a_channel_speak_in_their_own_name(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    channel = {"id": -1005, "type": "channel", "title": "News"}
    telegram.chats.say(chat, ANONYMOUS, "/plugins", sender_chat=chat.info, author_signature="Chief")
    telegram.chats.say(chat, CHANNEL_BOT, "as the channel", sender_chat=channel)

    admin, other = await heard(on_telegram, 2)

    assert (admin.sender, admin.manages, admin.roles) == (Person("-1001", "Chief"), True, {"administrator": "Administrator"})
    assert (other.sender, other.manages, other.roles) == (Person("-1005", "News"), False, {})


async def test_start_opens_a_conversation_and_a_link_runs_its_command(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    for payload in ("", " imagine-YSByZWQgY2F0", " reset", " not a link"):
        telegram.chats.say(chat, ANN, f"/start{payload}")

    plain, linked, short, odd = await heard(on_telegram, 4)

    assert (plain.trigger, plain.parts) == (Said(), ())
    assert linked.trigger == Called("imagine", text="a red cat")
    assert short.trigger == Called("reset")
    assert (odd.trigger, odd.parts) == (Said(), ())


async def test_an_edited_message_takes_the_place_of_the_one_before_also_within_a_second(
    telegram: Telegram, on_telegram: TelegramConnector
) -> None:
    chat = telegram.chats.direct(ANN)
    said = telegram.chats.say(chat, ANN, "helo")
    telegram.chats.edit(chat, said, "hello")
    telegram.chats.edit(chat, chat.messages[said["message_id"]], "hello!")
    for update in telegram.told[-2:]:
        update["edited_message"]["edit_date"] = said["date"]
        telegram.again({**update, "update_id": update["update_id"] + 10})

    first, second, third, *again = await heard(on_telegram, 5)

    assert second.event.startswith(f"{first.event}:")
    assert [one.event for one in again] == [second.event, third.event] != [second.event, second.event]
    assert isinstance(second.trigger, Said)
    assert isinstance(third.trigger, Said)
    assert (second.trigger.replaces, third.trigger.replaces) == (first.event, second.event)
    assert second.text == "hello"
    assert [one.trigger.replaces for one in again if isinstance(one.trigger, Said)] == [first.event, second.event]


async def test_an_edited_command_is_an_edit_of_what_was_said_first(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    said = telegram.chats.say(chat, ANN, "/rol", date=1_000_000)
    telegram.chats.edit(chat, said, "/roll")
    telegram.again({"update_id": 999, "edited_message": {**said, "text": "seen by nobody"}})
    first, second = await heard(on_telegram, 2)
    assert second.event.startswith(f"{first.event}:")
    assert (second.trigger, second.at) == (Called("roll", shared=False, edits=first.event), 1_000_000)


async def test_the_parts_of_an_album_are_told_as_they_come_and_keep_nobody_waiting(
    telegram: Telegram, on_telegram: TelegramConnector
) -> None:
    ear = Ear()
    telegram.chats.say(telegram.chats.direct(BEN), BEN, "hello")
    first, second, third = telegram.chats.album(telegram.chats.direct(ANN), ANN, ["one", "two", "three"], "look @hobnob_bot")
    late = telegram.updates.pop()
    async with hearing(on_telegram, ear):
        await wait_until(lambda: len(ear.heard) == 3)
        telegram.again(late)
        await wait_until(lambda: len(ear.heard) == 4)
    parts = sorted((message for message in ear.heard if message.album), key=lambda part: part.id)
    assert [[part.kind for part in message.parts] for message in parts] == [["text", "image"], ["image"], ["image"]]
    assert [message.id for message in parts] == [str(one["message_id"]) for one in (first, second, third)]
    assert {message.album for message in parts} == {first["media_group_id"]}
    assert parts[0].mentions == (ME,)


async def test_recordings_of_all_kinds_are_sound(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chats, chat = telegram.chats, telegram.chats.direct(ANN)
    chats.say(chat, ANN, voice=chats.voice(b"note", 3))
    chats.say(chat, ANN, video_note={**chats.file(b"round"), "length": 240, "duration": 4})
    chats.say(chat, ANN, "a song", audio={**chats.file(b"song"), "duration": 5, "file_name": "a.mp3", "mime_type": "audio/mpeg"})
    chats.say(chat, ANN, video={**chats.file(b"film"), "width": 9, "height": 9, "duration": 6})
    chats.say(chat, ANN, document={**chats.file(b"file"), "file_name": "x.wav", "mime_type": "audio/wav"})

    messages = await heard(on_telegram, 5)

    sounds = [part for message in messages for part in message.parts if isinstance(part, Audio)]
    assert [(sound.voice, sound.seconds) for sound in sounds] == [(True, 3.0), (True, 4.0), (False, 5.0), (False, 6.0), (False, 0.0)]
    assert messages[2].text == "a song"
    assert isinstance(sounds[0].source, Attachment)
    assert b"".join([piece async for piece in on_telegram.read(sounds[0].source)]) == b"note"


async def test_the_largest_picture_is_taken_and_its_spoiler_kept(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    telegram.chats.say(telegram.chats.direct(ANN), ANN, photo=telegram.chats.photo(PNG), has_media_spoiler=True)
    [message] = await heard(on_telegram)
    [image] = message.parts
    assert isinstance(image, Image)
    assert (image.source.size, image.spoiler) == (len(PNG), True)


async def test_who_wrote_a_forwarded_text_is_kept(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    origin = {"type": "user", "date": 1, "sender_user": BEN}
    telegram.chats.say(chat, ANN, "I said so", forward_origin=origin)
    telegram.chats.say(chat, ANN, voice=telegram.chats.voice(b"x"), forward_origin=origin)

    text, note = await heard(on_telegram, 2)

    assert text.parts == ()
    assert text.reply_to is not None
    assert (text.reply_to.sender, text.reply_to.parts) == (Person("", "Ben"), (Text("I said so"),))
    assert [part.kind for part in note.parts] == ["audio"]


async def test_a_quote_of_a_part_is_that_part(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    first = telegram.chats.compose(chat, BEN, "a long text")
    telegram.chats.say(chat, ANN, "this?", reply_to=first, quote={"text": "long", "position": 2})
    [message] = await heard(on_telegram)
    assert message.reply_to is not None
    assert message.reply_to.parts == (Text("long"),)


async def test_code_keeps_the_marks_that_were_typed_around_it(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    marked = [{"type": "pre", "offset": 3, "length": 5, "language": "py"}, {"type": "code", "offset": 9, "length": 1}]
    telegram.chats.say(telegram.chats.direct(ANN), ANN, "😀\nx = 1\ny", marked=marked)
    [message] = await heard(on_telegram)
    assert message.text == "😀\n```py\nx = 1\n```\n`y`"


async def test_a_click_names_the_button_and_is_confirmed(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    id = await on_telegram.send(place(chat), Post("pick", keys=(Key("k1", "More"),)), "n")
    query = telegram.chats.click(chat, ANN, chat.messages[int(id)], "More")

    ear = Ear()
    async with hearing(on_telegram, ear):
        await wait_until(lambda: query in telegram.methods.answered)

    [message] = ear.heard
    assert (message.trigger, message.sender, message.id) == (Clicked("k1"), Person("11", "Ann"), id)
    assert message.reply_to is not None
    assert (message.reply_to.id, message.reply_to.sender) == (id, ME)


async def test_a_reaction_is_told_with_its_message(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.direct(ANN)
    said = telegram.chats.compose(chat, ANN, "hello")
    telegram.chats.react(chat, ANN, said, "👍")
    [message] = await heard(on_telegram)
    assert message.trigger == Reacted("👍")
    assert message.reply_to is not None
    assert message.reply_to.id == str(said["message_id"])


async def test_a_reaction_in_a_topic_is_told_with_what_it_is_on(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    forum = group(telegram, forum=True)
    forum.bot = "administrator"
    topic = telegram.chats.topic(forum, "Cats")
    note = telegram.chats.say(forum, BEN, voice=telegram.chats.voice(b"meow"), topic=topic)
    telegram.chats.react(forum, ANN, note, "✍")
    _, message = await heard(on_telegram, 2)
    assert (message.address.thread, message.sender) == (str(topic), Person("11", "Ann"))
    assert message.reply_to is not None
    assert (message.reply_to.sender, message.reply_to.parts[0].kind) == (Person("12", "Ben"), "audio")
