"""One look for all who look: what is seen, and what is added."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from redis.asyncio import Redis

from bot.errors import StoreError
from bot.store.changes import Changes
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.web.live import AWAY, Live, Row, Tail


class Log:
    """Rows that grow; it counts how often it is read."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.reads = 0
        self.away = False

    def add(self) -> None:
        self.rows.append([f"{len(self.rows):04}", "words"])

    async def newest(self) -> list[Row]:
        if self.away:
            raise StoreError("away")
        return self.rows[-2:]

    async def since(self, last: str) -> list[Row]:
        self.reads += 1
        if self.away:
            raise StoreError("away")
        return [row for row in self.rows if row[0] > last]


async def test_who_watches_is_given_the_newest_and_then_each_row_that_is_added() -> None:
    log = Log()
    for _ in range(3):
        log.add()
    tail = Tail(log.newest, log.since, every=0.01)
    async with aclosing(tail.watch()) as one, aclosing(tail.watch()) as other:
        assert await anext(one) == await anext(other) == {"lines": [["0001", "words"], ["0002", "words"]]}
        log.away = True
        read = log.reads
        await wait_until(lambda: log.reads > read)
        log.away = False
        log.add()
        assert await anext(one) == await anext(other) == {"more": [["0003", "words"]]}


async def test_who_comes_while_the_store_is_away_is_told_so_and_sees_everything_when_it_is_back() -> None:
    log = Log()
    log.away = True
    tail = Tail(log.newest, log.since, every=0.01)
    async with aclosing(tail.watch()) as watch:
        assert await anext(watch) == AWAY
        log.away = False
        log.add()
        assert await _first(watch) == {"lines": [["0000", "words"]]}


async def _first(watch: AsyncGenerator[Mapping[str, Any], None]) -> Mapping[str, Any]:
    """What is seen once the store is back."""
    async for seen in watch:
        if seen != AWAY:
            return seen
    raise AssertionError("it ended")


class Eyes:
    """Counts how often they look."""

    def __init__(self) -> None:
        self.looks = 0

    async def look(self) -> Mapping[str, Any]:
        self.looks += 1
        return {"looks": self.looks}


async def test_one_look_for_all_follows_what_was_written_and_nothing_else(redis: Redis, keys: Keys) -> None:
    eyes = Eyes()
    live = Live(eyes.look, Changes(redis, keys, "pulls", "duty"), every=0)
    async with aclosing(live.watch()) as one, aclosing(live.watch()) as other:
        assert await anext(one) == await anext(other) == {"looks": 1}
        await redis.set(keys.weights(), "of nobody who looks", ex=60)
        await redis.set(keys.duty(), "paused", ex=60)
        assert await anext(one) == await anext(other) == {"looks": 2}
        live.hurry()
        assert await anext(one) == {"looks": 3}
        await redis.delete(keys.duty())
        assert await anext(one) == {"looks": 4}
    await redis.set(keys.duty(), "paused", ex=60)
    async with aclosing(live.watch()) as late:
        assert await anext(late) == {"looks": 5}, "nobody looked when nobody watched"


async def test_where_the_store_tells_nothing_it_is_looked_at_again_and_again(keys: Keys) -> None:
    eyes, nowhere = Eyes(), connect("redis://127.0.0.1:1")
    async with aclosing(Live(eyes.look, Changes(nowhere, keys, "duty"), every=0.01).watch()) as watch:
        assert [await anext(watch) for _ in range(3)] == [{"looks": look} for look in (1, 2, 3)]
    await nowhere.aclose()
