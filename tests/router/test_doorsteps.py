"""What admins have to know reaches them where they read, whichever router finds it out."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bot.membership import Joined, Left
from bot.messages import Address, Message, Person
from bot.plugins import Plugins
from bot.router import app
from bot.router.doorsteps import DAY, Doorsteps
from bot.store.keys import Keys
from bot.store.presence import Presence
from bot.testing.platform import Platform

HALL = Address("room", "lounge", "hall")
MODERATORS = Address("room", "lounge", "moderators")


async def test_what_one_router_learned_another_knows_and_says_it_once_a_day(redis: Redis, keys: Keys) -> None:
    said: list[tuple[Address, str, str]] = []

    async def say(place: Address, event: str, words: str) -> None:
        said.append((place, event, words))

    times = iter((0.0, 1.0, DAY))
    first, second = (Doorsteps(say, lambda: next(times), Presence(redis, keys), {}) for _ in range(2))
    await second.tell(HALL, "too early: nobody knows where")
    await first.learn(Message("", "joined", MODERATORS, Person("", ""), trigger=Joined()))
    for _ in range(3):
        await second.tell(HALL, "allow this")
    assert [(place, words) for place, _, words in said] == [(MODERATORS, "allow this")] * 3
    assert [event == said[0][1] for _, event, _ in said] == [True, True, False]


@pytest.mark.parametrize("direct", [False, True])
async def test_only_servers_that_the_bot_is_in_have_a_doorstep(redis: Redis, keys: Keys, direct: bool) -> None:
    router, presence = app.build(redis, keys, Plugins([]), [Platform("room")]), Presence(redis, keys)
    place = Address("room", "lounge", "moderators", direct=direct)
    await router.deliver(Message("", "joined", place, Person("", ""), trigger=Joined()))
    assert await presence.servers("room") == ([] if direct else ["lounge"])
    await router.deliver(Message("", "left", place, Person("", ""), trigger=Left()))
    assert await presence.servers("room") == []
