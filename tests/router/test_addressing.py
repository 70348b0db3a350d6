"""Who is being spoken to."""

from __future__ import annotations

from dataclasses import replace

from bot.messages import Address, Message, Person, Quote, Text
from bot.router.addressing import addressed, heard

BOT = Person("bot-1", "Hobnob", bot=True)
ADA, BEN = Person("ada", "Ada"), Person("ben", "Ben")
SAID = Message("1", "1", Address("room", "lounge", "main"), ADA, (Text("hello"),), me="bot-1")


def test_a_word_in_a_group_is_not_for_the_bot() -> None:
    assert not addressed(SAID)
    assert not addressed(replace(SAID, mentions=(BEN,)))
    assert not addressed(replace(SAID, reply_to=Quote("0", BEN)))


def test_a_mention_a_reply_and_a_direct_message_are_for_the_bot() -> None:
    assert addressed(replace(SAID, mentions=(BEN, BOT)))
    assert addressed(replace(SAID, reply_to=Quote("0", BOT)))
    assert addressed(replace(SAID, address=Address("room", "ada", "ada", direct=True)))


def test_bots_are_not_heard_the_own_words_least() -> None:
    assert heard(SAID)
    assert not heard(replace(SAID, sender=BOT))
    assert not heard(replace(SAID, sender=Person("other", "Other", bot=True)))
    assert not heard(replace(SAID, sender=Person("bot-1", "without the flag")))
