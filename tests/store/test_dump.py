"""What the store keeps, out and in again: every kind of key, what is left out while things go on, and the forms of releases."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.messages import Address, Deleted, Message, Person
from bot.store import dump, schema
from bot.store.connection import connect, unreachable
from bot.store.contents import TABLE
from bot.store.dump import CREDENTIALS, MACHINE, PASSING, Dump, Record
from bot.store.exporting import exported
from bot.store.keys import Keys
from bot.store.schema import form, migrate
from bot.store.tickets import Tickets
from bot.testing import wait_until

EVER = "data:notes:server:room/lobby:"
"""A key that may stay for ever."""


async def fill(redis: Redis, keys: Keys) -> None:
    """One key of each kind, with what text cannot be."""
    await redis.set(f"{keys.prefix}:{EVER}a", b"\xff\x00 no text")
    await redis.set(f"{keys.prefix}:{EVER}b", "base64:not")
    await redis.hset(f"{keys.prefix}:{EVER}hash", mapping={"a": "1", "b": b"\x80"})
    await redis.rpush(f"{keys.prefix}:{EVER}list", "b", "a", "b")
    await redis.sadd(f"{keys.prefix}:{EVER}set", "x", "y")
    await redis.zadd(f"{keys.prefix}:{EVER}zset", {"soon": 1.5, "later": 1_764_207_000_123_456})
    await redis.xadd(f"{keys.prefix}:{EVER}stream", {"field": "value"}, id="7-1")
    await redis.set(f"{keys.prefix}:button:x", "[]", px=3_600_000)


async def fill_to_the_brim(redis: Redis, keys: Keys) -> None:
    """What is rare, and yet a server takes it."""
    await redis.set(f"{keys.prefix}:{EVER}".encode() + b"\xff", "a name that is no text")
    await redis.set(f"{keys.prefix}:base64:name", "", ex=3600)
    await redis.hset(f"{keys.prefix}:{EVER}hash", mapping={"": ""})
    await redis.zadd(f"{keys.prefix}:{EVER}zset", {"never": -math.inf, "always": math.inf, "": 0, "least": 5e-324, "most": -1.7e308})
    await redis.xadd(f"{keys.prefix}:{EVER}stream", {"": ""}, id=f"{2**64 - 1}-{2**64 - 1}")
    await redis.xadd(f"{keys.prefix}:{EVER}empty", {"field": "value"})
    await redis.xtrim(f"{keys.prefix}:{EVER}empty", maxlen=0)


async def records(redis: Redis, keys: Keys, *, running: bool = False, credentials: bool = False) -> list[Record]:
    return [record async for record in Dump(redis, keys).read(running=running, credentials=credentials)]


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Redis]:
    """A Redis, where the tests' own store is a Valkey."""
    if (server := shutil.which("redis-server")) is None:
        pytest.skip("redis-server is needed")
    options = ["--port", "0", "--unixsocket", f"{tmp_path}/redis.sock", "--save", "", "--dir", f"{tmp_path}"]
    process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)  # noqa: ASYNC220  takes a moment
    url = f"unix://{tmp_path}/redis.sock"
    client = connect(url)

    async def listens() -> bool:
        """A socket is there before anybody listens on it."""
        return not await unreachable(client)

    await wait_until(listens)
    yield client
    await client.aclose()
    process.terminate()
    process.wait(10)


async def test_every_kind_of_key_comes_back_in_another_kind_of_server(redis: Redis, keys: Keys, elsewhere: Redis) -> None:
    await fill(redis, keys)
    before = await records(redis, keys)
    assert {record.kind for record in before} == {"string", "hash", "list", "set", "zset", "stream"}
    there = Dump(elsewhere, Keys("other"))
    again = [Record.model_validate_json(record.model_dump_json()) for record in before]
    assert await there.write(again) == await there.count() == len(before)
    assert await records(elsewhere, Keys("other")) == before
    assert await elsewhere.get(f"other:{EVER}a") == b"\xff\x00 no text"
    assert 3_000_000 < await elsewhere.pttl("other:button:x") <= 3_600_000


async def test_all_that_a_server_takes_comes_back(redis: Redis, keys: Keys) -> None:
    await fill_to_the_brim(redis, keys)
    before = await records(redis, keys)
    assert len(before) == 5, "an empty stream holds nothing"
    await Dump(redis, keys).clear()
    assert await Dump(redis, keys).count() == 0
    await Dump(redis, keys).write([Record.model_validate_json(record.model_dump_json()) for record in before])
    assert await records(redis, keys) == before
    assert await redis.zrange(f"{keys.prefix}:{EVER}zset", 0, -1) == [b"never", b"most", b"", b"least", b"always"]
    assert await redis.exists(f"{keys.prefix}:{EVER}".encode() + b"\xff", f"{keys.prefix}:base64:name") == 2


async def test_a_deleted_message_is_in_no_ones_way(redis: Redis, keys: Keys) -> None:
    gone = Message("m", "gone", Address("room", "lobby", "main"), Person("", ""), trigger=Deleted("m"))
    await Tickets(redis, keys, "router").heard(gone, math.inf)
    assert [record.kind for record in await records(redis, keys)] == ["zset"]
    assert await records(redis, keys, running=True) == [], "which edits were heard is told with what is under way"


async def test_a_kind_of_key_that_is_none_of_ours_is_a_sentence(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(redis, keys)
    with monkeypatch.context() as patched, pytest.raises(StoreError, match=f"{keys.prefix}:{EVER}set is of no kind that Hobnob writes"):
        patched.delitem(dump._READ, "set")
        await records(redis, keys)


async def test_what_is_under_way_is_left_out_while_it_goes_on(redis: Redis, keys: Keys) -> None:
    async with redis.pipeline() as batch:
        for name, content in {"job:1": "body", "ticket:1": "body", "ticket:2": "state", "worker:w": "resident", "session:s": "x"}.items():
            batch.hset(f"{keys.prefix}:{name}", content, "1")
            batch.expire(f"{keys.prefix}:{name}", 60)
        batch.set(keys.password(), "argon2", ex=60)
        batch.set(keys.ticket("event"), "done", ex=60)
        await batch.execute()
    ended = {"ticket:2", "ticket:event"}
    assert {record.key for record in await records(redis, keys, running=True)} == ended
    assert {record.key for record in await records(redis, keys)} == {"ticket:1", *ended, "job:1"}
    credentials = {record.key for record in await records(redis, keys, credentials=True)}
    assert credentials == {"ticket:1", *ended, "job:1", "session:s", "password"}


async def test_clearing_leaves_nothing(redis: Redis, keys: Keys) -> None:
    await fill(redis, keys)
    await Dump(redis, keys).clear()
    assert await Dump(redis, keys).count() == 0


def test_what_is_left_out_is_named_as_in_the_table_of_keys() -> None:
    known = {entry.pattern for entry in TABLE} | {"leases:*", "out:bell-*"}
    assert {*MACHINE, *CREDENTIALS, *PASSING} <= known


async def test_a_server_is_exported_alone(redis: Redis, keys: Keys) -> None:
    for server in ("discord/1", "discord/12"):
        await redis.set(keys.data("notes", "server", server, "k"), f'"of {server}"')
        await redis.sadd(keys.data_index("server", server), keys.data("notes", "server", server, "k"))
    found = await exported(redis, keys, "discord/1")
    assert [entry["value"] for entry in found.data] == ["of discord/1"]
    assert found.anything
    assert not (await exported(redis, keys, "discord/*")).anything


# Forms -------------------------------------------------------------------------------------------------------------------


async def test_an_empty_store_has_the_newest_form(redis: Redis, keys: Keys) -> None:
    async def never(redis: Redis, keys: Keys) -> None:
        raise AssertionError

    assert await migrate(redis, keys, {2: never}) == []
    assert await form(redis, keys) == 2


async def test_a_store_from_before_there_were_forms_is_brought_forward_step_by_step(redis: Redis, keys: Keys) -> None:
    await fill(redis, keys)
    done: list[int] = []

    async def second(redis: Redis, keys: Keys) -> None:
        done.append(2)

    async def third(redis: Redis, keys: Keys) -> None:
        done.append(3)
        assert await form(redis, keys) == 2  # a step that is cut off is the first of the next time

    assert await migrate(redis, keys, {3: third, 2: second}) == done == [2, 3]
    assert await migrate(redis, keys, {3: third, 2: second}) == []


async def test_one_release_ahead_is_understood_and_two_are_not(redis: Redis, keys: Keys) -> None:
    await redis.set(keys.schema(), schema.newest() + 1)
    assert await migrate(redis, keys) == []
    await redis.set(keys.schema(), schema.newest() + 2)
    with pytest.raises(StoreError, match="install the release that wrote it, or newer"):
        await migrate(redis, keys)
