"""Connections: under load, told to stop, and to a server that does not let everybody in."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from bot.errors import StoreError
from bot.messages import Address, Message, Person
from bot.store.connection import MOST_CONNECTIONS, check, connect
from bot.store.exchanging import entries, exchange
from bot.store.keys import Keys
from bot.store.tickets import Body, Tickets
from bot.testing import wait_until
from tests.chaos.proxy import Proxy
from tests.guarded import Certificate, options, rights
from tests.leaping import leap
from tests.ports import free_port
from tests.store.tcp import Server


async def test_who_waits_for_a_connection_is_not_overtaken_by_newcomers(redis: Redis, keys: Keys) -> None:
    """Callers that come back at once, as a flood does, must not starve one that came before."""
    flooding = True

    async def flood() -> None:
        while flooding:
            await redis.get(keys.button("nothing"))

    floods = [asyncio.create_task(flood()) for _ in range(MOST_CONNECTIONS * 2)]
    await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.wait_for(redis.get(keys.button("nothing")), 5.0)
    flooding = False
    await asyncio.gather(*floods)


async def test_commands_travel_together_however_much_they_carry_and_a_fault_is_the_answer_to_one(redis: Redis, keys: Keys) -> None:
    large, name = "x" * 5_000_000, keys.button("large")
    stored, fault, length, gone = await exchange(redis, [("SET", name, large), ("INCR", name), ("STRLEN", name), ("DEL", name)])
    assert (stored, length, gone) == (b"OK", len(large), 1)
    assert isinstance(fault, ResponseError)


class Slow:
    """A connection that answers every 12 s, so many times."""

    def __init__(self, answers: int) -> None:
        self.socket_timeout: float | None = 15.0
        self.left = answers

    async def get_connection(self) -> Slow:
        return self

    async def send_packed_command(self, pieces: list[bytes]) -> None:
        return

    async def read_response(self) -> bytes:
        self.left -= 1
        await asyncio.sleep(12.0 if self.left >= 0 else inf)
        return b"OK"

    async def disconnect(self, *, nowait: bool) -> None:
        return

    async def release(self, connection: Slow) -> None:
        return


def test_each_answer_has_its_time() -> None:
    client: Any = SimpleNamespace(connection_pool=Slow(5))
    assert leap(lambda loop: exchange(client, [("PING",)] * 5)) == [b"OK"] * 5


@pytest.mark.parametrize("answers", [0, 1, 3])
def test_silence_is_not_waited_for_however_much_was_heard_before(answers: int) -> None:
    client: Any = SimpleNamespace(connection_pool=Slow(answers))

    async def waits(loop: asyncio.AbstractEventLoop) -> float:
        began = loop.time()
        with pytest.raises(RedisError, match=r"nothing was heard for 15\.0 s"):
            await exchange(client, [("PING",)] * 5)
        return loop.time() - began

    assert leap(waits) == pytest.approx(12.0 * answers + 15.0)
    assert client.connection_pool.socket_timeout == 15.0


async def test_a_server_that_falls_silent_is_not_waited_for(server: Server) -> None:
    proxy = Proxy(server.port, random.Random(0))
    await proxy.start()
    client = connect(f"redis://127.0.0.1:{proxy.port}")
    assert await exchange(client, [("PING",)]) == [b"PONG"]
    [connection] = client.connection_pool._available_connections
    connection.socket_timeout = 0.2
    proxy.hit(lambda pair: setattr(pair, "trouble", "silence"), 1.0)
    with pytest.raises(RedisError, match=r"nothing was heard for 0\.2 s"):
        await exchange(client, [("PING",), ("PING",)])
    proxy.heal()
    connection.socket_timeout = 15.0
    assert await exchange(client, [("PING",)]) == [b"PONG"]
    await client.aclose()
    await proxy.stop()


async def test_streams_are_read_behind_what_is_known_as_soon_as_one_has_something(redis: Redis, keys: Keys) -> None:
    first, second = keys.out("first"), keys.out("second")
    one, two = await redis.xadd(first, {"n": "1"}), await redis.xadd(first, {"n": "2"})
    assert await entries(redis, {first: "0-0", second: "0-0"}, count=1) == {first: [(one, {b"n": b"1"})]}
    assert await entries(redis, {first: one}) == {first: [(two, {b"n": b"2"})]}
    assert await entries(redis, {first: two, second: "0-0"}) == {}
    reading = asyncio.create_task(entries(redis, {first: two, second: "0-0"}, block=5_000))
    three = await redis.xadd(second, {"n": "3"})
    assert await reading == {second: [(three, {b"n": b"3"})]}
    await redis.delete(first, second)


async def test_what_nobody_waits_for_any_more_is_nobodys_answer(redis: Redis, keys: Keys) -> None:
    stream = keys.out("stream")
    blocked = (await redis.info("clients"))["blocked_clients"]
    reading = asyncio.create_task(entries(redis, {stream: "0-0"}, block=5_000))

    async def waits() -> bool:
        return bool((await redis.info("clients"))["blocked_clients"] > blocked)

    await wait_until(waits)
    reading.cancel()
    await asyncio.wait([reading])
    await redis.xadd(stream, {"n": "1"})
    assert await exchange(redis, [("DEL", stream), ("ECHO", "said")]) == [1, b"said"]


async def test_who_is_told_to_stop_while_waiting_for_redis_stops_at_once(redis: Redis, keys: Keys) -> None:
    """Whenever it is told: while it connects, while it sends, or later."""
    tickets = Tickets(redis, keys, "r")
    for pause in [number * 0.00005 for number in range(60)]:
        waiting = asyncio.create_task(tickets.wait(["room"], 5.0))
        await asyncio.sleep(pause)
        began = time.monotonic()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert time.monotonic() - began < 1.0
        await redis.connection_pool.disconnect()  # so that the next connects anew


async def test_who_goes_on_after_the_end_leaves_no_connection_open(redis_url: str, keys: Keys) -> None:
    """A handler's parts may outlive it: they hear that it is over, and what they held is closed when they give it back."""
    client = connect(redis_url)
    pool = client.connection_pool
    held = await pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py left it bare
    await client.aclose()
    await held.connect()  # as a part does that was about to speak
    await pool.release(held)
    assert not held.is_connected
    with pytest.raises(RedisError):
        await client.get(keys.button("nothing"))
    assert not any(one.is_connected for one in (*pool._available_connections, *pool._in_use_connections))


async def test_failures_make_no_room_for_more_connections(tmp_path: Path) -> None:
    """While Redis was away each try counted as two that ended, and the flood after it had no bounds."""
    client = connect(f"unix://{tmp_path}/nobody")
    for _ in range(3):
        with pytest.raises(RedisError):
            await client.ping()
    assert client.connection_pool._slots._value == MOST_CONNECTIONS  # type: ignore[attr-defined]  # ours has them
    await client.aclose()


@pytest.fixture
def guarded_server(tmp_path: Path, keys: Keys) -> Iterator[str]:
    """A server that speaks TLS alone, and knows one user who may touch our keys alone; where it is, without a user."""
    server = shutil.which("redis-server")
    if server is None or shutil.which("openssl") is None:
        pytest.skip("redis-server with TLS and openssl are needed")
    certificate, port = Certificate.made(tmp_path), free_port()
    users = ["--user", "default", "off", "--user", "hobnob", *rights("hobnob", "hunter22", keys.prefix)]
    command = [server, "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path), *options(certificate.serving(port)), *users]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield f"127.0.0.1:{port}/0?{certificate.query}"
    process.terminate()
    process.wait(10)


async def test_a_server_behind_tls_lets_its_user_in_and_nobody_else(guarded_server: str, keys: Keys) -> None:
    url = f"rediss://hobnob:hunter22@{guarded_server}"
    client = connect(url)

    async def answers() -> bool:
        with suppress(RedisError):
            return bool(await client.ping())
        return False

    await wait_until(answers)
    await check(client, url)
    tickets = Tickets(client, keys, "r")
    body = Body(plugin="p", route="r", version="1", message=Message("m", "e", Address("room", "a", "b"), Person("ada", "Ada")))
    [ticket] = await tickets.accept([body], 0, 1.0)
    assert await tickets.finish(ticket)
    with pytest.raises(StoreError, match="Redis refused a command"):
        await Tickets(client, Keys("others"), "r").accept([body], 0, 1.0)
    await client.aclose()
    for wrong in (f"rediss://hobnob:wrong@{guarded_server}", f"rediss://{guarded_server}", f"redis://{guarded_server.partition('?')[0]}"):
        stranger = connect(wrong)
        with pytest.raises(StoreError) as refused:
            await check(stranger, wrong)
        assert "hunter22" not in str(refused.value)
        await stranger.aclose()
