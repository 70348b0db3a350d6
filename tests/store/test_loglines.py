"""The lines that processes wrote, kept for the operator's page; and the thread that keeps them."""

from __future__ import annotations

import io
import json
import time

import pytest
import structlog
from redis.asyncio import Redis

from bot import log
from bot.cli.recording import LONGEST, recording
from bot.config import LogTable
from bot.store.keys import Keys
from bot.store.loglines import KEPT, MOST, LogLines
from bot.store.tally import Tally
from bot.store.traces import KEPT as PATHS_KEPT
from bot.store.traces import Traces
from bot.testing import wait_until
from bot.traces import Trace


async def test_lines_come_back_in_order_and_only_what_is_new(redis: Redis, keys: Keys) -> None:
    lines = LogLines(redis, keys)
    await lines.write(["1", "2", "3"])
    newest = await lines.newest(2)
    assert [one.line for one in newest] == ["2", "3"]
    assert await lines.since(newest[-1].id, 10) == []
    await lines.write(["4", "5"])
    assert [one.line for one in await lines.since(newest[-1].id, 10)] == ["4", "5"]
    assert [one.line for one in await lines.since("", 10)] == ["1", "2", "3", "4", "5"]


async def test_no_line_and_no_path_outlives_its_time(redis: Redis, keys: Keys) -> None:
    await redis.xadd(keys.log(), {"line": "old"}, id=f"{int((time.time() - KEPT - 60) * 1000)}-0")
    lines = LogLines(redis, keys)
    await lines.write(["new \ud800"])
    assert [one.line for one in await lines.newest(9)] == ["new ?"]
    traces, now = Traces(redis, keys), time.time()
    for id, at in (("1", now - PATHS_KEPT - 60), ("2", now)):
        traces.seen("hall", Trace(message=id, person="ann", at=at, rule="mention"), last=False)
    await traces.written()
    assert await redis.zrange(keys.paths(), 0, -1) == [b'["hall", "2"]']


async def test_old_lines_make_room(redis: Redis, keys: Keys) -> None:
    lines = LogLines(redis, keys)
    await lines.write(["line"] * (MOST + 500))
    assert await redis.xlen(keys.log()) < MOST + 200


@pytest.fixture
def recent() -> log.Recent:
    """What a process that was set up hears of itself."""
    recent = log.Recent(3)
    log.setup(LogTable(format="console"), ["hunter2"], process="router", stream=io.StringIO(), recent=recent)
    return recent


def test_the_newest_lines_wait_without_secrets_until_they_are_taken(recent: log.Recent) -> None:
    for n in range(4):
        structlog.get_logger("bot").info("it went", n=n, word="hunter2")
    lines = recent.take()
    assert [json.loads(line)["n"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[0])["process"] == "router"
    assert "hunter2" not in "".join(lines)
    structlog.get_logger("bot").info("it went", n=4)
    recent.put_back(lines)
    assert [json.loads(line)["n"] for line in recent.take()] == [2, 3, 4], "the oldest make room"


async def test_what_a_process_writes_is_kept_until_its_end(redis: Redis, redis_url: str, recent: log.Recent) -> None:
    ours = Keys()  # a process has no other
    lines, before = LogLines(redis, ours), await LogLines(redis, ours).newest(1)
    with recording(redis_url, recent):
        recent.put_back(['{"message": "cut by red[hidden]'])
        assert (await wait_until(lambda: lines.since(before[-1].id if before else "", 10)))[0].line == (
            json.dumps({"message": '{"message": "cut by red[hidden]'})
        )
        before = await lines.newest(1)
        structlog.get_logger("bot").error("it broke", ref="ab12", exception="x" * 9000)
        written = await wait_until(lambda: lines.since(before[-1].id if before else "", 10))
        structlog.get_logger("bot").info("last words")
    first = json.loads(written[0].line)
    assert (first["ref"], len(first["exception"])) == ("ab12", LONGEST)
    assert "last words" in (await lines.newest(1))[0].line
    minute = (await Tally(redis, ours).hour(time.time()))[-2:]
    assert sum(one.counts.get("errors", 0) for one in minute) >= 1
    await redis.delete(ours.log())
