"""What a group on Telegram has, and who somebody is there."""

from __future__ import annotations

from dataclasses import replace

from redis.asyncio import Redis

from bot.connectors.telegram import TelegramConnector
from bot.messages import Person, Reacted
from bot.store.hearsay import Hearsay
from bot.store.keys import Keys
from tests.connectors.on_telegram import ANN, BEN, connected, group, heard, place
from tests.wire.telegram_server import Telegram


async def test_topics_roles_and_people_are_those_that_it_heard_of_also_before_a_restart(
    telegram: Telegram, on_telegram: TelegramConnector, redis: Redis, keys: Keys
) -> None:
    forum = group(telegram, forum=True)
    forum.members[ANN["id"]] = "administrator"
    cats, dogs = telegram.chats.topic(forum, "Cats"), telegram.chats.topic(forum, "Dogs")
    telegram.chats.say(forum, BEN, "about cats", topic=cats)
    telegram.chats.say(forum, ANN, "about dogs", topic=dogs)
    await heard(on_telegram, 2)

    here = place(forum)
    assert await on_telegram.known(here, "channel") == {"main": "Lounge", f"main/{cats}": "Cats", f"main/{dogs}": "Dogs"}
    assert await on_telegram.known(here, "person") == {"11": "Ann", "12": "Ben"}
    assert set((await on_telegram.known(here, "role")).values()) == {"Owner", "Administrator", "Member", "Restricted"}
    assert await on_telegram.known(place(telegram.chats.direct(ANN)), "channel") == {}

    telegram.chats.say(forum, BEN, topic=cats, forum_topic_edited={"name": "Lions"})
    telegram.chats.say(forum, BEN, "about cats again", topic=cats)
    await heard(on_telegram)
    started_anew = connected(telegram, Hearsay(redis, keys))
    assert await started_anew.known(here, "channel") == {"main": "Lounge", f"main/{cats}": "Lions", f"main/{dogs}": "Dogs"}
    assert await started_anew.known(here, "person") == {"11": "Ann", "12": "Ben"}
    await started_anew.close()


async def test_a_user_name_means_whoever_has_said_something(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = group(telegram)
    telegram.chats.say(chat, {**BEN, "username": "Ben_12"}, "hello")
    telegram.chats.say(chat, ANN, "hello @ben_12 and @nobody")
    _, message = await heard(on_telegram, 2)
    assert message.mentions == (Person("12", "Ben"), Person("@nobody", "nobody"))


async def test_whoever_only_reacts_or_speaks_to_others_is_what_they_are(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    chat = telegram.chats.group(-1001, "Lounge", admins=[ANN])
    chat.bot = "administrator"
    said = telegram.chats.say(chat, ANN, "a note")
    telegram.chats.react(chat, ANN, said, "👍")
    note, reaction = await heard(on_telegram, 2)

    assert (note.roles, reaction.roles, reaction.trigger) == ({}, {}, Reacted("👍"))
    assert telegram.asked("getChatMember") == [], "nothing waits for it"
    for one, calls in ((note, 1), (note, 1), (reaction, 2), (reaction, 3)):
        placed = await on_telegram.placed(one)
        assert (placed.manages, placed.roles) == (True, {"administrator": "Administrator"})
        assert len(telegram.asked("getChatMember")) == calls, "who reacts wants something, so whoever manages is asked for anew"
    assert (await on_telegram.placed(replace(note, sender=Person("99", "Eve")))).guest
