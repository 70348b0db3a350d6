"""How much was done: counted in memory, written now and then, read by the minute and by the hour."""

from __future__ import annotations

import time

import pytest
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.jobs import Answer, Picture, Transcript
from bot.messages import Blob
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.tally import Tally

BLOB = Blob("b", "image/png", 1)


async def test_what_two_routers_counted_is_one_sum(redis: Redis, keys: Keys) -> None:
    one, other = Tally(redis, keys), Tally(redis, keys)
    one.ended("discord/1", 2.0, failed=False)
    one.ended("discord/1", 4.0, failed=True)
    other.ended("room/hall", 0.5, failed=False)
    other.result(Answer(text="", finish="stop", prompt_tokens=9, tokens=5, model="m"))
    other.result(Picture(image=BLOB, recipe={}, others=(Picture(image=BLOB, recipe={}),)))
    other.result(Transcript(language="en", seconds=30.5, segments=(), model="m"))
    await one.flush()
    await other.flush()
    await one.flush()

    hour, day = await one.hour(time.time()), await one.day(time.time())
    assert (len(hour), len(day)) == (60, 24)
    for stretches in (hour, day):
        summed = {what: sum(one.counts.get(what, 0.0) for one in stretches) for what in ("requests", "seconds", "failed", "tokens")}
        assert summed == {"requests": 3.0, "seconds": 6.5, "failed": 1.0, "tokens": 5.0}
        assert [sum(one.counts.get(what, 0.0) for one in stretches) for what in ("pictures", "audio")] == [2.0, 30.5]
    assert {server: count for one in day for server, count in one.servers.items()} == {"discord/1": 2.0, "room/hall": 1.0}


async def test_what_cannot_be_written_is_kept_for_later(redis: Redis, keys: Keys, tmp_path: object) -> None:
    away = connect(f"unix://{tmp_path}/nobody.sock")
    tally = Tally(away, keys)
    tally.ended("room/hall", 1.0, failed=False)
    with pytest.raises(StoreError):
        await tally.flush()
    await away.aclose()
    tally._redis = redis
    tally.ended("room/hall", 1.0, failed=False)
    await tally.flush()

    assert sum(one.counts.get("requests", 0.0) for one in await tally.day(time.time())) == 2.0
