"""Scripts that are called at the same moment travel together, and each caller gets its own answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.store import scripts
from bot.store.connection import connect
from bot.store.exchanging import Exchange
from bot.store.scripts import Scripts

TEXTS = {
    "add": "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    "say": "return ARGV[1]",
    "fail": "return redis.error_reply('no such luck')",
}


@pytest.fixture
def lua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lua").mkdir()
    for name, text in TEXTS.items():
        (tmp_path / "lua" / f"{name}.lua").write_text(text)
    monkeypatch.setattr(scripts, "files", lambda package: tmp_path)


@pytest.mark.usefixtures("lua")
async def test_calls_of_one_moment_share_a_connection_and_keep_their_order(redis_url: str) -> None:
    client = connect(redis_url)
    say = Scripts(client)("say")
    assert await asyncio.gather(*(say(args=[number]) for number in range(50))) == [str(number).encode() for number in range(50)]
    assert sum(count for count, _ in client.connection_pool.get_connection_count()) == 1
    await client.aclose()


@pytest.mark.usefixtures("lua")
async def test_what_several_parts_of_a_process_ask_at_one_moment_travels_together_in_order(redis_url: str) -> None:
    client = connect(redis_url)
    add, ask = Scripts(client)("add"), Exchange(client)
    assert await add(keys=["sum"], args=[1]) == 1  # loads it: what the server has forgotten is called once more, after the others
    calls = [add(keys=["sum"], args=[1]), ask("GET", "sum"), Scripts(client)("add")(keys=["sum"], args=[1]), ask("DEL", "sum")]
    assert await asyncio.gather(*calls) == [2, b"2", 3, 1]
    assert sum(count for count, _ in client.connection_pool.get_connection_count()) == 1
    await client.aclose()


@pytest.mark.usefixtures("lua")
async def test_a_fault_is_only_its_callers(redis: Redis) -> None:
    script = Scripts(redis)
    say, fail = script("say"), script("fail")
    found = await asyncio.gather(*(say(args=["a"]), fail(), say(args=["b"])), return_exceptions=True)
    assert [str(one) for one in found] == ["b'a'", "no such luck", "b'b'"]
    assert isinstance(found[1], ResponseError)


@pytest.mark.usefixtures("lua")
async def test_forgotten_scripts_are_loaded_again(redis: Redis) -> None:
    say = Scripts(redis)("say")
    for _ in range(2):
        assert await asyncio.gather(*(say(args=[number]) for number in range(3))) == [b"0", b"1", b"2"]
        await redis.script_flush()
    assert await say(args=["c"]) == b"c"


@pytest.mark.usefixtures("lua")
async def test_scripts_that_are_forgotten_while_they_are_called_are_called_all_the_same(redis: Redis, redis_url: str) -> None:
    say, client = Scripts(redis)("say"), connect(redis_url)

    async def forget() -> None:
        for _ in range(300):
            await client.script_flush()

    async def call() -> None:
        for _ in range(100):
            assert await asyncio.gather(*(say(args=[number]) for number in range(2))) == [b"0", b"1"]
            assert await say(args=["c"]) == b"c"

    found = await asyncio.gather(forget(), call(), return_exceptions=True)
    await client.aclose()
    assert list(found) == [None, None]


@pytest.mark.usefixtures("lua")
async def test_who_is_cancelled_does_not_hold_up_the_others(redis: Redis) -> None:
    say = Scripts(redis)("say")
    callers = [asyncio.create_task(say(args=[number])) for number in range(3)]
    await asyncio.sleep(0)
    callers[0].cancel()
    assert await asyncio.gather(*callers[1:]) == [b"1", b"2"]
    assert await asyncio.wait_for(asyncio.gather(callers[0], return_exceptions=True), 1)


async def test_what_cannot_be_sent_is_its_callers_fault_alone(redis: Redis) -> None:
    ask = Exchange(redis)
    found = await asyncio.gather(ask("ECHO", "a"), ask("ECHO", "\ud800"), ask("ECHO", "b"), return_exceptions=True)
    assert [found[0], type(found[1]), found[2]] == [b"a", UnicodeEncodeError, b"b"]


async def test_when_everything_is_cancelled_at_once_who_asks_after_that_is_answered(redis: Redis) -> None:
    ask, told = Exchange(redis), list[bytes]()

    async def caller() -> None:
        try:
            await ask("ECHO", "a")
        finally:
            told.append(await ask("ECHO", "b"))

    for turns in range(5):  # as asyncio.run does it at its end, whichever step the sending is at
        before, task = asyncio.all_tasks(), asyncio.create_task(caller())
        for _ in range(turns):
            await asyncio.sleep(0)
        for one in asyncio.all_tasks() - before:
            one.cancel()
        await asyncio.wait_for(asyncio.wait([task]), 5.0)
    assert told == [b"b"] * 4, "the first had not begun"


async def test_who_waits_for_a_sending_that_is_cancelled_is_cancelled(redis: Redis) -> None:
    ask = Exchange(redis)
    caller = asyncio.ensure_future(ask("ECHO", "a"))
    for _ in range(4):  # until it is under way
        await asyncio.sleep(0)
    [sending] = Exchange._sending
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(caller, 5.0)
    assert await ask("ECHO", "b") == b"b"
