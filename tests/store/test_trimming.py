"""What names something that has passed is let go of, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from bot.store.conversations import RETENTION
from bot.store.keys import Keys
from bot.store.plugindata import PluginData
from bot.store.trimming import LOOKED, Trimming
from bot.testing import wait_until
from bot.turns import Summary
from tests.store.test_conversations import BOB, CHAT, done, exchange, talked


async def looked(redis: Redis, keys: Keys, seen: Callable[[], Awaitable[bool]]) -> None:
    """Goes round until that is seen."""
    trimming = Trimming(redis, keys)

    async def gone_on() -> bool:
        await trimming.once()
        return await seen()

    await wait_until(gone_on)


async def test_an_index_loses_the_names_of_what_has_passed(redis: Redis, keys: Keys) -> None:
    data, index = PluginData(redis, keys), keys.data_index("person", "room/ann")
    names = [data.where("p", "person", "room/ann", str(number)) for number in range(2 * LOOKED)]
    async with redis.pipeline(transaction=True) as batch:
        for number in range(len(names)):
            for write in data.saving("p", "person", "room/ann", str(number), b"1", 60):
                batch.execute_command(*write)
        batch.delete(*names[1:])  # as their time passes
        await batch.execute()

    async def trimmed() -> bool:
        return bool(await redis.smembers(index) == {names[0].encode()})

    async def gone() -> bool:
        return not await redis.exists(index)

    await looked(redis, keys, trimmed)
    await redis.delete(names[0])
    await looked(redis, keys, gone)


async def test_what_is_kept_of_somebody_in_short_passes_though_others_go_on(redis: Redis, keys: Keys) -> None:
    conversations, meta = await talked(redis, keys, *exchange("a1"), *exchange("b1", **BOB)), keys.turns_meta(CHAT)
    for person in ("", "ada", "bob", "cyd"):
        await done(redis, await conversations.condensing(CHAT, Summary(text=f"of {person}", upto=1), person))
    assert float(await redis.hget(meta, "until:bob") or 0) >= (await redis.time())[0] + RETENTION - 60
    await redis.hset(meta, mapping={"until:bob": 1, "until:dan": 1})  # as their time passes; of Dan nothing is kept in short

    async def passed() -> bool:
        left = await redis.hmget(meta, ["summary:bob", "until:dan"])
        return left == [None, None] and bool(await redis.hexists(meta, "until:cyd"))  # kept by an earlier release

    await looked(redis, keys, passed)
    assert [(await conversations.summary(CHAT, person)).text for person in ("", "ada", "bob", "cyd")] == ["of ", "of ada", "", "of cyd"]
