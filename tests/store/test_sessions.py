"""Links that work once, and the sessions they become."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from bot.messages import Address, Message, Person
from bot.store.keys import Keys
from bot.store.sessions import GUEST, INVITED, KEPT, OPERATOR, SEATED, SERVED, Sessions, admin


async def test_a_link_becomes_a_session_once(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)
    token = await sessions.invite()

    secrets = await asyncio.gather(*(sessions.redeem(token) for _ in range(10)))

    (secret,) = [secret for secret in secrets if secret is not None]
    assert await sessions.visitor(secret) == GUEST


async def test_an_unknown_token_and_an_unknown_session_open_nothing(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)

    assert await sessions.redeem("guess") is None
    assert await sessions.redeem("") is None
    assert await sessions.visitor("guess") is None
    assert await sessions.visitor("") is None


async def test_where_the_pages_are_is_known_until_they_are_gone(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)
    assert await sessions.served() is None

    await sessions.serve("http://one")
    await sessions.serve("http://two")
    await sessions.unserve("http://one")
    assert await sessions.served() == "http://two"
    assert 0 < await redis.ttl(keys.pages()) <= SERVED

    await sessions.unserve("http://two")
    assert await sessions.served() is None


async def test_redis_holds_neither_tokens_nor_secrets_and_forgets_links(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)
    token = await sessions.invite()
    secret = await sessions.redeem(await sessions.invite())
    assert secret is not None

    names = [key.decode() async for key in redis.scan_iter(f"{keys.prefix}:*")]
    kept = [name for name in names if ":invite:" in name or ":session:" in name]

    assert len(kept) == 2
    values = [str(await redis.get(name)) for name in kept]
    assert not [text for text in (*names, *values) if token in text or secret in text]
    assert 0 < await redis.ttl(next(name for name in names if ":invite:" in name)) <= INVITED


async def test_an_admins_session_ends_by_itself_and_an_operators_lasts_from_its_last_use(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)
    asked = Message("", "", Address("room", "hall", "main"), Person("p.ann", "Ann"), manages=True)
    lasting: list[int] = []
    for visitor in (OPERATOR, admin(asked)):
        secret = await sessions.begin(visitor)
        [name] = [key async for key in redis.scan_iter(f"{keys.prefix}:session:*")]
        await redis.expire(name, 100)
        assert await sessions.visitor(secret) == visitor
        lasting.append(await redis.ttl(name))
        await sessions.end(secret)
        assert await sessions.visitor(secret) is None

    assert lasting == [KEPT, 100]
    assert admin(asked).lasts() <= SEATED


async def test_a_link_of_an_older_release_lets_a_guest_in(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)
    token = await sessions.invite(OPERATOR)
    [name] = [key async for key in redis.scan_iter(f"{keys.prefix}:invite:*")]
    await redis.set(name, "1", ex=60)

    assert await sessions.visitor(await sessions.redeem(token) or "") == GUEST


async def test_who_tries_too_often_waits(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)

    assert [await sessions.allowed("login", "here", 2, 60) for _ in range(3)] == [True, True, False]
    assert await sessions.allowed("login", "there", 2, 60)
    assert not [key async for key in redis.scan_iter(f"{keys.prefix}:tries:*") if await redis.ttl(key) > 60 or await redis.ttl(key) < 1]
