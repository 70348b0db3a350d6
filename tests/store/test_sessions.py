"""Links that work once, and the sessions they become."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from bot.store.keys import Keys
from bot.store.sessions import INVITED, SERVED, Sessions


async def test_a_link_becomes_a_session_once(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)
    token = await sessions.invite()

    secrets = await asyncio.gather(*(sessions.redeem(token) for _ in range(10)))

    (secret,) = [secret for secret in secrets if secret is not None]
    assert await sessions.valid(secret)


async def test_an_unknown_token_and_an_unknown_session_open_nothing(redis: Redis, keys: Keys) -> None:
    sessions = Sessions(redis, keys)

    assert await sessions.redeem("guess") is None
    assert await sessions.redeem("") is None
    assert not await sessions.valid("guess")
    assert not await sessions.valid("")


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

    assert not [name for name in names if token in name or secret in name]
    assert 0 < await redis.ttl(next(name for name in names if ":invite:" in name)) <= INVITED
