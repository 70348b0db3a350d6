"""Conversations: in order, cut by tokens, and never mixed."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.messages import Address, Message, Person, Text
from bot.store.conversations import Conversations
from bot.store.keys import Keys
from bot.store.tickets import Body, Ticket, Tickets, Write
from bot.turns import Summary, Turn, fit

ADA = Person("ada", "Ada")


def turn(text: str, tokens: int = 10, **fields: Any) -> Turn:
    return Turn(**{"role": "person", "parts": (Text(text),), "name": "Ada", "person": "ada", "tokens": tokens, **fields})


async def ticket(tickets: Tickets, address: Address, event: str) -> Ticket:
    body = Body(plugin="chat", route="listener:hear", version="1", message=Message(event, event, address, ADA))
    [accepted] = await tickets.accept([body], 0, 1.0)
    return accepted


async def test_turns_come_back_in_order_with_their_offsets_until_they_are_withdrawn_or_reset(redis: Redis, keys: Keys) -> None:
    tickets, conversations, address = Tickets(redis, keys, "r"), Conversations(redis, keys), Address("room", "a", "b")
    held = await ticket(tickets, address, "1")
    for number in range(3):
        said = turn(f"turn {number}", message=f"m{number}")
        await tickets.record(held, f"append{number}", b"", [conversations.appending(address.conversation, said)])
    found = await conversations.turns(address.conversation, 1000)
    assert [(one.text, one.offset) for one in found] == [("turn 0", 0), ("turn 1", 10), ("turn 2", 20)]
    for number in (1, 2):
        await tickets.record(held, f"withdraw{number}", b"", await conversations.withdrawing(address.conversation, f"m{number}"))
    await tickets.record(held, "append3", b"", [conversations.appending(address.conversation, turn("turn 3"))])
    found = await conversations.turns(address.conversation, 1000)
    assert [(one.text, one.offset) for one in found] == [("turn 0", 0), ("turn 3", 30)]
    await tickets.record(held, "reset", b"", await conversations.resetting(address.conversation))
    assert await conversations.turns(address.conversation, 1000) == []
    await tickets.finish(held)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=60), st.integers(1, 1000))
def test_what_fits_is_the_newest_and_at_most_the_budget(sizes: list[int], budget: int) -> None:
    turns, offset = [], 0
    for size in sizes:
        turns.append(turn("x", size).model_copy(update={"offset": offset}))
        offset += size
    kept = fit(turns, budget)
    assert kept == turns[-len(kept) :]
    assert len(kept) == 1 or sum(one.tokens for one in kept) <= budget


def test_the_beginning_stands_still_while_half_a_budget_is_said() -> None:
    """A prompt whose beginning moves with every message is computed anew with every message."""
    turns = [turn("x", 10).model_copy(update={"offset": 10 * number}) for number in range(200)]
    beginnings = [fit(turns[:end], 400)[0].offset for end in range(41, 200)]
    assert len(set(beginnings)) <= 1 + len(beginnings) * 10 // 200


async def test_nothing_of_one_room_is_ever_seen_in_another(redis: Redis, keys: Keys) -> None:
    """Hundreds of random interleavings of rooms, threads and names that try to be each other's."""
    chance = random.Random(7)
    names = ["a", "b", "a/b", "a%2Fb", "a:b", "", "turns", "b/", "*", "a b"]
    addresses = [
        Address(connector, server, channel, thread)
        for connector in ("room", "room/a")
        for server in names
        for channel in ("x", "y/x", "x:y")
        for thread in ("", "t", "t/x")
    ]
    assert len({address.conversation for address in addresses}) == len(addresses)
    tickets, conversations = Tickets(redis, keys, "r"), Conversations(redis, keys)
    said: dict[Address, list[str]] = {address: [] for address in addresses}

    async def speak(number: int, address: Address) -> None:
        held = await ticket(tickets, address, f"{number}")
        await tickets.record(held, "append", b"", [conversations.appending(address.conversation, turn(f"secret {number}"))])
        said[address].append(f"secret {number}")
        await tickets.finish(held)

    await asyncio.gather(*(speak(number, chance.choice(addresses)) for number in range(600)))
    for address in addresses:
        found = await conversations.turns(address.conversation, 1_000_000)
        assert sorted(one.text for one in found) == sorted(said[address])


BOB = {"name": "Bob", "person": "bob"}
CHAT = Address("room", "a", "b").conversation


async def talked(redis: Redis, keys: Keys, *turns: Turn) -> Conversations:
    """These turns, appended as a ticket does."""
    tickets, conversations = Tickets(redis, keys, "r"), Conversations(redis, keys)
    held = await ticket(tickets, Address("room", "a", "b"), "talk")
    for number, one in enumerate(turns):
        await tickets.record(held, f"append{number}", b"", [conversations.appending(CHAT, one)])
    await tickets.finish(held)
    return conversations


async def done(redis: Redis, writes: list[Write]) -> None:
    for write in writes:
        await redis.execute_command(*write)  # type: ignore[no-untyped-call]


def exchange(message: str, **fields: Any) -> tuple[Turn, Turn]:
    return turn(f"question {message}", message=message, **fields), turn(f"answer {message}", message=message, **fields, role="bot")


async def test_the_turns_of_one_person_are_a_conversation_with_offsets_of_its_own(redis: Redis, keys: Keys) -> None:
    conversations = await talked(redis, keys, *exchange("a1"), *exchange("b1", **BOB), *exchange("a2"))
    theirs = await conversations.turns(CHAT, 1000, "ada")
    assert [(one.text, one.offset) for one in theirs] == [("question a1", 0), ("answer a1", 10), ("question a2", 20), ("answer a2", 30)]
    assert [one.text for one in await conversations.turns(CHAT, 20, "bob")] == ["question b1", "answer b1"]


async def test_a_question_in_other_words_takes_along_what_its_person_was_answered_since(redis: Redis, keys: Keys) -> None:
    chatter = turn("lunch?", message="a9")
    conversations = await talked(redis, keys, *exchange("a1"), *exchange("a2"), *exchange("b1", **BOB), chatter, *exchange("a3"))
    await conversations.forget(CHAT, "a2", branch=True)
    assert [one.message for one in await conversations.turns(CHAT, 1000)] == ["a1", "a1", "b1", "b1", "a9"]
    await conversations.forget(CHAT, "a9", branch=True)
    await conversations.forget(CHAT, "a1")
    assert [one.message for one in await conversations.turns(CHAT, 1000)] == ["b1", "b1"]


async def test_a_summary_goes_with_what_it_says_and_not_with_what_came_after(redis: Redis, keys: Keys) -> None:
    conversations = await talked(redis, keys, *exchange("a1"), *exchange("b1", **BOB), *exchange("a2"))
    await done(redis, await conversations.condensing(CHAT, Summary(text="short", upto=20)))
    await done(redis, await conversations.condensing(CHAT, Summary(text="Bob's", upto=20), "bob"))
    await conversations.forget(CHAT, "a2")
    begun = await conversations.summary(CHAT)
    assert begun.text == "short"
    await conversations.forget(CHAT, "a1")
    assert await conversations.summary(CHAT) == Summary(forgotten=2)
    await done(redis, await conversations.condensing(CHAT, begun))  # by somebody who read what was deleted meanwhile
    assert (await conversations.summary(CHAT)).text == ""
    assert (await conversations.summary(CHAT, "bob")).text == "Bob's"


async def test_a_summary_that_comes_too_late_leaves_the_one_before_it(redis: Redis, keys: Keys) -> None:
    conversations = await talked(redis, keys, *exchange("a1"), *exchange("a2"), *exchange("a3"))
    await done(redis, await conversations.condensing(CHAT, Summary(text="one", upto=20)))
    begun = await conversations.summary(CHAT)
    await conversations.forget(CHAT, "a3")
    await done(redis, await conversations.condensing(CHAT, begun.model_copy(update={"text": "one and two", "upto": 40})))
    assert (await conversations.summary(CHAT)).text == "one"


async def test_that_there_was_nothing_to_sum_up_is_known_until_something_before_it_is_taken_back(redis: Redis, keys: Keys) -> None:
    conversations = await talked(redis, keys, *exchange("a1"), *exchange("a2"))
    await done(redis, await conversations.condensing(CHAT, Summary(upto=20)))
    await conversations.forget(CHAT, "a2")
    assert (await conversations.summary(CHAT)).upto == 20
    await conversations.forget(CHAT, "a1")
    assert await conversations.summary(CHAT) == Summary(forgotten=2)


async def test_a_reset_takes_the_summaries_and_that_of_one_person_only_theirs(redis: Redis, keys: Keys) -> None:
    conversations = await talked(redis, keys, *exchange("a1"), *exchange("b1", **BOB))
    for person in ("", "ada", "bob"):
        await done(redis, await conversations.condensing(CHAT, Summary(text=f"of {person}", upto=1), person))
    await done(redis, await conversations.resetting(CHAT, "ada"))
    assert [(await conversations.summary(CHAT, person)).text for person in ("", "ada", "bob")] == ["", "", "of bob"]
    assert [one.message for one in await conversations.turns(CHAT, 1000)] == ["b1", "b1"]
    await done(redis, await conversations.resetting(CHAT))
    assert (await conversations.summary(CHAT, "bob")).text == "" and await conversations.turns(CHAT, 1000) == []
