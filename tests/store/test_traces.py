"""The paths of messages, as they are written."""

from __future__ import annotations

import time

from redis.asyncio import Redis

from bot.store.keys import Keys
from bot.store.traces import KEPT, Traces
from bot.traces import Step, Trace

MANY = 200


async def test_all_paths_of_one_moment_are_known_for_a_while(redis: Redis, keys: Keys) -> None:
    traces, now = Traces(redis, keys), time.time()
    for number in range(MANY):
        traces.seen("hall", Trace(message=f"{number}", person="ada", at=now + number, rule="mention"), last=True, said="hello 1 2")
        traces.ended("hall", f"{number}", Step(plugin="echo", route="listener:echo", answers=1), [f"answer {number}"])
    await traces.written()
    found = [await traces.find("hall", f"answer {number}") for number in range(MANY)]
    assert [(one.message, one.steps[0].answers) for one in found if one is not None] == [(f"{number}", 1) for number in range(MANY)]
    last = await traces.last("hall", "ada")
    assert last is not None
    assert last.message == f"{MANY - 1}"
    newest = [(f"{MANY - 1}", "hello 1 2"), (f"{MANY - 2}", "hello 1 2")]
    assert [(one.trace.message, one.said) for one in await traces.recent(2)] == newest
    assert {0 < await redis.ttl(key) <= KEPT for key in await redis.keys(f"{keys.prefix}*")} == {True}
