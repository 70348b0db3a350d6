"""The judge of chaos and soak: each thing that may not be is found where it is, and nothing where all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from redis.asyncio import Redis

from bot.store.keys import Keys
from tests.chaos.people import Said
from tests.chaos.venues import See, Shown
from tests.chaos.verdict import Judge, Verdict

LONG = 40


@dataclass
class Scripted:
    """A place where this stands; of what was said the store has heard these."""

    messages: Sequence[Shown]
    heard: frozenset[str] = frozenset("123")
    keyed: bool = True
    strict: bool = True
    silent: frozenset[str] = frozenset()
    name: str = "here"
    conversation: str = "room/here"
    long: int = LONG
    mention: str = field(default="")
    since: int = 0

    async def say(self, who: str, text: str, nonce: str) -> str:
        raise NotImplementedError

    async def cancel(self, who: str, line: Shown) -> None:
        raise NotImplementedError

    async def look(self, see: See, waiting: asyncio.Event) -> None:
        raise NotImplementedError

    async def shown(self) -> list[Shown]:
        return list(self.messages)

    async def first(self) -> int:
        return self.since

    async def known(self, id: str, store: Redis, keys: Keys) -> bool:
        return id in self.heard

    def excused(self, id: str) -> bool:
        return id in self.silent


def shown(id: str, asked: str, text: str, *, busy: bool = False, fault: bool = False) -> Shown:
    return Shown(id, asked, text, busy, fault)


FIRST, SECOND, LONGER = Said("1", "tell one", 100.0), Said("2", "tell two", 100.0), Said("3", "long words", 100.0)
TURNS = [("1", "person"), ("1", "bot"), ("2", "person"), ("2", "bot")]
BOTH = [shown("5", "1", "tell one"), shown("6", "2", "tell two")]
PARTS = [shown("7", "3", "long words\nlong words"), shown("8", "", "long words\nlong words!")]


async def judged(
    redis: Redis, keys: Keys, venue: Scripted, *said: Said, turns: Sequence[tuple[str, str]] = (), kills: Sequence[float] = ()
) -> Verdict:
    verdict = Verdict()
    await Judge(verdict, venue, redis, keys, kills).judge(list(said), list(turns))
    return verdict


async def test_where_all_is_well_nothing_is_found(redis: Redis, keys: Keys) -> None:
    verdict = await judged(redis, keys, Scripted([*BOTH, *PARTS]), FIRST, SECOND, LONGER, turns=TURNS)
    assert verdict.wrong == []
    assert verdict.counts["answered"] == 3


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        (BOTH[:1], "lost"),
        ([BOTH[0], shown("6", "2", "tell two", busy=True)], "lost"),
        ([*BOTH, shown("7", "2", "tell two")], "doubled"),
        ([*BOTH, shown("7", "2", "Something went wrong.", fault=True)], "doubled"),
        ([shown("5", "2", "tell two"), shown("6", "1", "tell one")], "reordered"),
        ([BOTH[0], shown("6", "2", "tell one")], "wrong answers"),
        ([*BOTH, shown("7", "9", "tell nine")], "without a question"),
    ],
)
async def test_what_may_not_be_is_found(redis: Redis, keys: Keys, messages: list[Shown], found: str) -> None:
    verdict = await judged(redis, keys, Scripted(messages), FIRST, SECOND)
    assert verdict.counts[found] == 1
    assert [line.partition(":")[0] for line in verdict.wrong] == [found]


async def test_of_a_long_answer_each_part_is_there_once(redis: Redis, keys: Keys) -> None:
    for messages, found in ((PARTS[:1], "cut short"), ([*PARTS, shown("9", "", PARTS[1].text)], "repeated later parts")):
        verdict = await judged(redis, keys, Scripted(messages), LONGER)
        assert verdict.counts[found] == len(verdict.wrong) == 1


async def test_what_is_remembered_is_in_order_and_once(redis: Redis, keys: Keys) -> None:
    for turns in ([TURNS[2], TURNS[3], TURNS[0]], [*TURNS, TURNS[3]]):
        verdict = await judged(redis, keys, Scripted(BOTH), FIRST, SECOND, turns=turns)
        assert verdict.counts["wrong turns"] == len(verdict.wrong) == 1


async def test_of_what_a_room_remembers_no_more_nothing_is_judged_even_where_the_conversation_does(redis: Redis, keys: Keys) -> None:
    verdict = await judged(redis, keys, Scripted(BOTH[1:], since=2), FIRST, SECOND, turns=TURNS)
    assert verdict.wrong == [] and verdict.counts["further back than a room remembers"] == 1
    verdict = await judged(redis, keys, Scripted(BOTH[1:], since=2), FIRST, SECOND, turns=[*TURNS, TURNS[2]])
    assert verdict.counts["wrong turns"] == 1
    later = Scripted([*BOTH[1:], PARTS[1]], since=2)  # it replies to nothing
    assert (await judged(redis, keys, later, replace(LONGER, id="1"), SECOND)).wrong == []


async def test_a_killed_store_excuses_what_it_had_not_written_and_nothing_that_it_knows(redis: Redis, keys: Keys) -> None:
    verdict = await judged(redis, keys, Scripted(BOTH[:1], frozenset("1")), FIRST, SECOND, kills=[101.0])
    assert verdict.wrong == [] and verdict.counts["gone with the store's last two seconds"] == 1
    for heard, kills in (("12", [101.0]), ("1", [103.0])):
        assert (await judged(redis, keys, Scripted(BOTH[:1], frozenset(heard)), FIRST, SECOND, kills=kills)).counts["lost"] == 1
    (deaf,) = (await judged(redis, keys, Scripted(BOTH, frozenset()), FIRST, SECOND, kills=[101.0])).wrong
    assert "is not known" in deaf


async def test_where_posts_have_no_key_the_same_twice_is_counted_apart_and_two_answers_are_not(redis: Redis, keys: Keys) -> None:
    again = await judged(redis, keys, Scripted([*BOTH, shown("7", "2", "tell two")], keyed=False), FIRST, SECOND)
    assert again.wrong == [] and again.counts["said again where posts have no key"] == 1
    other = await judged(redis, keys, Scripted([*BOTH, shown("7", "2", "tell other")], keyed=False), FIRST, SECOND)
    assert other.counts["doubled"] == 1


async def test_only_what_the_platform_called_unanswered_may_be(redis: Redis, keys: Keys) -> None:
    verdict = await judged(redis, keys, Scripted(BOTH[:1], silent=frozenset({"2"})), FIRST, SECOND)
    assert verdict.wrong == [] and verdict.counts["commands that Discord itself called unanswered"] == 1
