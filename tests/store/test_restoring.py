"""A backup takes the place of what is there whole or not at all, whatever goes wrong: forged records, a full server, others that begin."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import TimeoutError as Unanswered

from bot.errors import StoreError, UserError
from bot.store import restoring as module
from bot.store.connection import connect
from bot.store.dump import CHUNK, Dump, Record
from bot.store.keys import Keys
from bot.store.restoring import restoring, sweep
from bot.store.schema import newest
from tests.guarded import rights
from tests.store.tcp import Server

EVER = "data:notes:server:room/lobby:"
"""A key that may stay for ever."""

THERE = {f"{EVER}old": "what was there", "button:old": "[]"}
KEPT = [
    Record(key="schema", kind="string", value="1"),
    Record(key=f"{EVER}new", kind="hash", value={"a": "1"}),
    Record(key=f"{EVER}old", kind="string", value="what was kept"),
]


@pytest.fixture
async def there(redis: Redis, keys: Keys) -> None:
    """What is there before."""
    for name, value in THERE.items():
        await redis.set(f"{keys.prefix}:{name}", value, ex=3600)


async def found(redis: Redis, keys: Keys) -> dict[str, Any]:
    """All that is below the prefix; of what is no string its kind."""
    seen: dict[str, Any] = {}
    async for key in redis.scan_iter(f"{keys.prefix}:*"):
        kind: Any = await redis.type(key)
        text: Any = await redis.get(key) if kind == b"string" else kind
        seen[key.decode().removeprefix(f"{keys.prefix}:")] = text.decode(errors="replace")
    return seen


@pytest.mark.usefixtures("there")
async def test_a_backup_takes_the_place_of_all_that_was_there_and_leaves_nothing_beside(redis: Redis, keys: Keys) -> None:
    gone = Record(key="button:gone", kind="string", until=int(time.time() * 1000) - 1, value="[]")
    async with restoring(redis, keys, [*KEPT, gone]):
        assert THERE.items() <= (await found(redis, keys)).items(), "until the end both are there"
    assert await found(redis, keys) == {"schema": "1", f"{EVER}new": "hash", f"{EVER}old": "what was kept"}
    assert await redis.ttl(f"{keys.prefix}:{EVER}old") == -1, "its lifetime is that of the backup"


def cut_off() -> Iterator[Record]:
    yield KEPT[1]
    raise UserError("cut off")


BAD = {
    "a release more than one ahead wrote it": [*KEPT, Record(key="schema", kind="string", value=f"{newest() + 2}")],
    "its form is no number": [*KEPT, Record(key="schema", kind="string", value="first")],
    "its form is no text": [*KEPT, Record(key="schema", kind="list", value=["1"])],
    "entries of a stream that go back": [*KEPT, Record(key="log", kind="stream", value=[["2-1", {"a": "b"}], ["1-1", {"a": "b"}]])],
    "it ends too soon": cut_off(),
}


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("records", BAD.values(), ids=BAD)
async def test_what_cannot_be_restored_leaves_what_is_there(redis: Redis, keys: Keys, records: Any) -> None:
    with pytest.raises((StoreError, UserError)):
        async with restoring(redis, keys, records):
            raise AssertionError("it came so far")
    assert await found(redis, keys) == THERE


@pytest.mark.usefixtures("there")
async def test_what_goes_wrong_before_the_end_leaves_what_is_there(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="no space"):
        async with restoring(redis, keys, KEPT):
            raise OSError("no space left for its files")
    assert await found(redis, keys) == THERE

    async def breaks(redis: Redis, keys: Keys) -> None:
        raise StoreError("this release cannot")

    monkeypatch.setattr(module, "migrate", breaks)
    with pytest.raises(StoreError, match="this release cannot"):
        async with restoring(redis, keys, KEPT):
            raise AssertionError("it came so far")
    assert await found(redis, keys) == THERE


@pytest.mark.usefixtures("there")
async def test_a_router_or_another_restore_that_begins_meanwhile_ends_it(redis: Redis, keys: Keys) -> None:
    with pytest.raises(StoreError, match="began meanwhile"):
        async with restoring(redis, keys, KEPT):
            await sweep(redis, keys)
    assert await found(redis, keys) == THERE
    with pytest.raises(StoreError, match="began meanwhile"):
        async with restoring(redis, keys, KEPT), restoring(redis, keys, KEPT[:2]):
            pass
    assert await found(redis, keys) == {"schema": "1", f"{EVER}new": "hash"}


def begun(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Does something between the first hundred records of the next restore and the others."""
    write, waiting = Dump.write, [meanwhile]

    async def halting(self: Dump, records: Iterable[Record]) -> int:
        if not waiting:
            return await write(self, records)
        iterator = iter(records)
        count = await write(self, itertools.islice(iterator, CHUNK))
        await waiting.pop()()
        return count + await write(self, iterator)

    monkeypatch.setattr(Dump, "write", halting)


LONG = [Record(key=f"{EVER}{number}", kind="string", value="a secret") for number in range(2 * CHUNK)]


@pytest.mark.usefixtures("there")
async def test_a_router_that_begins_while_a_restore_writes_ends_it_and_nothing_stays_beside(
    redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(monkeypatch, lambda: sweep(redis, keys))
    with pytest.raises(StoreError, match="began meanwhile"):
        async with restoring(redis, keys, LONG):
            assert len(await found(redis, keys)) > CHUNK, "what was written since"
    assert await found(redis, keys) == THERE


@pytest.mark.usefixtures("there")
async def test_of_two_restores_at_once_one_is_there_whole_and_the_other_says_that_it_is_not(
    redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def another() -> None:
        async with restoring(redis, keys, KEPT):
            pass

    begun(monkeypatch, another)
    with pytest.raises(StoreError, match="began meanwhile"):
        async with restoring(redis, keys, LONG):
            pass
    assert await found(redis, keys) == {"schema": "1", f"{EVER}new": "hash", f"{EVER}old": "what was kept"}


def listed(monkeypatch: pytest.MonkeyPatch, of: Callable[[str], bool], meanwhile: Callable[[str], Awaitable[object]]) -> None:
    """Does something once it is known which keys a backup puts in the place of which; what, is told the prefix of the backup."""
    names = Dump._names

    async def hooked(self: Dump) -> list[str]:
        seen = await names(self)
        if of(self._head):
            await meanwhile(self._head)
        return seen

    monkeypatch.setattr(Dump, "_names", hooked)


@pytest.mark.usefixtures("there")
async def test_a_router_that_begins_in_the_midst_of_the_swap_ends_it(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, lambda head: ":restoring:" in head, lambda head: sweep(redis, keys))
    with pytest.raises(StoreError, match="began meanwhile"):
        async with restoring(redis, keys, KEPT):
            pass
    assert await found(redis, keys) == THERE


@pytest.mark.usefixtures("there")
async def test_what_goes_by_itself_in_the_midst_of_the_swap_is_missed_by_nobody(
    redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(monkeypatch, lambda head: ":restoring:" in head, lambda head: redis.delete(f"{head}{EVER}new"))
    async with restoring(redis, keys, KEPT):
        pass
    assert await found(redis, keys) == {"schema": "1", f"{EVER}old": "what was kept"}


async def test_a_connection_that_is_lost_before_the_swap_is_told_and_changes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(f"redis://127.0.0.1:{server.port}")
    await client.set("hobnob:button:old", "[]")
    listed(monkeypatch, lambda head: ":restoring:" in head, lambda head: server.redis.client_kill_filter(_type="normal", skipme=True))
    with pytest.raises(StoreError, match="nothing has changed"):
        async with restoring(client, Keys(), KEPT):
            pass
    assert await found(client, Keys()) == {"button:old": "[]"}
    await client.aclose()


@pytest.mark.usefixtures("there")
async def test_a_swap_whose_answer_is_lost_has_taken_place(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    parse = Pipeline.parse_response

    async def cut(self: Pipeline, *given: Any, **more: Any) -> Any:
        answer = await parse(self, *given, **more)
        if self.watching and isinstance(answer, list):  # of EXEC
            raise Unanswered
        return answer

    monkeypatch.setattr(Pipeline, "parse_response", cut)
    async with restoring(redis, keys, KEPT):
        pass
    assert await found(redis, keys) == {"schema": "1", f"{EVER}new": "hash", f"{EVER}old": "what was kept"}


async def test_a_swap_that_takes_longer_than_other_answers_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect(f"redis://127.0.0.1:{server.port}")
    client.connection_pool.connection_kwargs["socket_timeout"] = 0.2
    # For a second the server answers whoever reads, and nobody else.
    listed(monkeypatch, lambda head: ":restoring:" in head, lambda head: server.redis.client_pause(1000, all=False))
    async with restoring(client, Keys(), KEPT):
        pass
    assert await found(client, Keys()) == {"schema": "1", f"{EVER}new": "hash", f"{EVER}old": "what was kept"}
    with pytest.raises(StoreError, match="does not answer"):
        await server.redis.client_pause(1000, all=False)
        await Dump(client, Keys()).write(KEPT)
    await client.aclose()


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("mark", ["restoring:0f", "restoring:00"], ids=["its mark is there", "its mark was swept, and it wrote on"])
async def test_what_one_that_was_killed_left_is_no_part_of_the_store_and_is_swept(redis: Redis, keys: Keys, mark: str) -> None:
    await redis.set(f"{keys.prefix}:{mark}", b"", ex=3600)
    await redis.set(f"{keys.restoring('0f')}:{EVER}new", "a secret", ex=3600)
    await redis.set(f"{keys.restoring('0f')}:restoring:x", "an older release wrote it", ex=3600)
    assert await Dump(redis, keys).count() == len(THERE)
    assert {record.key async for record in Dump(redis, keys).read(running=False)} == set(THERE)
    await sweep(redis, keys)
    assert await found(redis, keys) == THERE
    await sweep(redis, keys)


async def test_a_full_server_keeps_what_it_has_and_the_user_of_the_documentation_may_restore(server: Server) -> None:
    await server.redis.execute_command("ACL", "SETUSER", "hobnob", *rights("hobnob", "PASSWORD"))  # type: ignore[no-untyped-call]  # redis-py left it bare
    client = connect(f"redis://hobnob:PASSWORD@127.0.0.1:{server.port}")
    async with restoring(client, Keys(), KEPT):
        pass
    before = await found(client, Keys())
    used = int((await server.redis.info("memory"))["used_memory"])
    await server.redis.config_set("maxmemory", used + 2_000_000)
    large = [Record(key=f"{EVER}{number}", kind="string", value="x" * 100_000) for number in range(100)]
    with pytest.raises(StoreError, match="Redis is full: raise its maxmemory"):
        async with restoring(client, Keys(), large):
            raise AssertionError("it came so far")
    assert await found(client, Keys()) == before
    await client.aclose()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", 5),
        ("string", ["a"]),
        ("string", "base64:!"),
        ("string", "base64:abc"),
        ("hash", {}),
        ("hash", {"a": 1}),
        ("hash", [["a", "b"]]),
        ("list", []),
        ("list", {"a": "b"}),
        ("set", "abc"),
        ("zset", [["a"]]),
        ("zset", [["a", "high"]]),
        ("zset", [["a", "1.5"]]),
        ("zset", [["a", float("nan")]]),
        ("stream", [["1-1", {}]]),
        ("stream", [["*", {"a": "b"}]]),
        ("stream", [{"a": "b"}]),
        ("string", None),
    ],
)
def test_what_a_kind_of_key_cannot_hold_is_no_record(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        Record(key="k", kind=kind, value=value)


@pytest.mark.parametrize("key", ["restoring:", "restoring:x", "restoring:0f:schema"])
def test_what_lies_beside_is_in_no_backup(key: str) -> None:
    with pytest.raises(ValidationError, match="no key that begins with restoring:"):
        Record(key=key, kind="string", value="v")


@pytest.mark.parametrize("until", [-1, 1 << 63, 1.5])
def test_a_lifetime_that_redis_would_refuse_is_none(until: Any) -> None:
    with pytest.raises(ValidationError):
        Record(key="k", kind="string", until=until, value="v")
