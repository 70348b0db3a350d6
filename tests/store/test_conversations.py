"""Conversations: in order, cut by tokens, and never mixed."""

from __future__ import annotations

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.messages import Address, Message, Person, Text
from bot.store.conversations import Conversations
from bot.store.keys import Keys
from bot.store.tickets import Body, Ticket, Tickets
from bot.turns import Turn, fit

ADA = Person("ada", "Ada")


def turn(text: str, tokens: int = 10) -> Turn:
    return Turn(role="person", parts=(Text(text),), name="Ada", person="ada", tokens=tokens)


async def ticket(tickets: Tickets, address: Address, event: str) -> Ticket:
    body = Body(plugin="chat", route="listener:hear", version="1", message=Message(event, event, address, ADA))
    [accepted] = await tickets.accept([body], 0, 1.0)
    return accepted


async def test_turns_come_back_in_order_with_their_offsets_until_they_are_withdrawn_or_reset(redis: Redis, keys: Keys) -> None:
    tickets, conversations, address = Tickets(redis, keys, "r"), Conversations(redis, keys), Address("room", "a", "b")
    held = await ticket(tickets, address, "1")
    for number in range(3):
        await tickets.record(held, f"append{number}", b"", [conversations.appending(address.conversation, turn(f"turn {number}"))])
    found = await conversations.turns(address.conversation, 1000)
    assert [(one.text, one.offset) for one in found] == [("turn 0", 0), ("turn 1", 10), ("turn 2", 20)]
    await tickets.record(held, "withdraw", b"", [conversations.withdrawing(address.conversation, 2)])
    await tickets.record(held, "append3", b"", [conversations.appending(address.conversation, turn("turn 3"))])
    found = await conversations.turns(address.conversation, 1000)
    assert [(one.text, one.offset) for one in found] == [("turn 0", 0), ("turn 3", 30)]
    await tickets.record(held, "reset", b"", [conversations.resetting(address.conversation)])
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
