"""Who is being spoken to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.messages import Address, Called, Message, Person, Quote, Text
from bot.router.addressing import addressed, follows, heard
from bot.router.gate import View
from bot.router.terms import Terms
from bot.store.servers import Server
from bot.tables import Talking, TalkingTable

BOT = Person("bot-1", "Hobnob", bot=True)
ADA, BEN = Person("ada", "Ada"), Person("ben", "Ben")
SAID = Message("1", "1", Address("room", "lounge", "main"), ADA, (Text("hello"),), me="bot-1")

QUIET, LISTENS = Talking(), Talking(listens=True)


def test_a_word_in_a_group_is_not_for_the_bot() -> None:
    assert not addressed(SAID, QUIET)
    assert not addressed(replace(SAID, mentions=(BEN,)), QUIET)
    assert not addressed(replace(SAID, reply_to=Quote("0", BEN)), QUIET)


def test_a_mention_a_reply_and_a_direct_message_are_for_the_bot() -> None:
    assert addressed(replace(SAID, mentions=(BEN, BOT)), QUIET)
    assert addressed(replace(SAID, reply_to=Quote("0", BOT)), QUIET)
    assert addressed(replace(SAID, address=Address("room", "ada", "ada", direct=True)), QUIET)


def test_bots_are_not_heard_the_own_words_least() -> None:
    assert heard(SAID)
    assert not heard(replace(SAID, sender=BOT))
    assert not heard(replace(SAID, sender=Person("other", "Other", bot=True)))
    assert not heard(replace(SAID, sender=Person("bot-1", "without the flag")))


def test_where_it_listens_everything_is_for_it_that_is_not_for_somebody_else() -> None:
    assert addressed(SAID, LISTENS)
    assert not addressed(replace(SAID, mentions=(BEN,)), LISTENS)
    assert not addressed(replace(SAID, reply_to=Quote("0", BEN)), LISTENS)
    assert addressed(replace(SAID, reply_to=Quote("0", ADA)), LISTENS), "who answers themselves goes on"
    assert addressed(replace(SAID, mentions=(BEN, BOT)), LISTENS)
    assert not addressed(replace(SAID, trigger=Called("roll")), LISTENS)
    assert not addressed(replace(SAID, parts=()), LISTENS)


@pytest.mark.parametrize(
    ("word", "text", "called"),
    [
        ("computer", "Computer, what time is it?", True),
        ("computer", "my computers are old", False),
        ("c++", "what is c++?", True),
        ("小助手", "请问小助手现在几点", True),
        ("小助手", "小助理现在几点", False),
        ("บอท", "สวัสดีบอทครับ", True),
        ("бот", "скажи, бот!", True),
        ("бот", "работа", False),
        (" ", "a b", False),
    ],
)
def test_a_word_calls_it_in_every_script(word: str, text: str, called: bool) -> None:
    assert addressed(replace(SAID, parts=(Text(text),)), Talking(words=(word,))) is called


def test_a_thread_of_a_place_with_threads_needs_no_mention() -> None:
    threads = Talking(threads=True)
    assert not addressed(SAID, threads)
    assert addressed(replace(SAID, address=replace(SAID.address, thread="7")), threads)


def test_what_is_not_for_it_is_remembered_where_that_is_wanted() -> None:
    assert follows(SAID, Talking(follows=True))
    assert not follows(SAID, QUIET)
    assert not follows(replace(SAID, addressed=True), Talking(follows=True))


def test_a_channel_differs_from_its_server_and_that_from_all() -> None:
    server, channel = Talking(words=("computer",)), Talking(listens=True)
    table = TalkingTable(follows=True, places={"room/lounge": server, "room/lounge/main": channel, "room/lounge/7": Talking(words=())})
    assert (table.of("room/lounge", "main", "7").words, table.of("room/lounge", "main", "8").words) == ((), ("computer",))
    assert table.of("room/other", "main") == Talking(listens=False, words=(), follows=True, threads=False)
    assert table.of("room/lounge", "side").words == ("computer",)
    assert table.of("room/lounge", "main").model_dump() == {
        "listens": True,
        "words": ("computer",),
        "follows": True,
        "threads": False,
        "language": "",
        "retention": 30,
    }


def test_threads_that_nothing_is_set_for_share_what_holds_in_their_channel() -> None:
    places = {"room/lounge/main": LISTENS, "room/lounge/7": Talking(words=("hob",))}
    view = View(Server(), {}, Terms(talking=TalkingTable(places=places)))
    own, one, other = (view.talking(replace(SAID.address, thread=thread)) for thread in ("7", "8", "9"))
    assert one is other
    assert (one, own) == (LISTENS, Talking(listens=True, words=("hob",)))
