"""A primary, a replica and a Sentinel, as real processes: what goes on when the primary dies or is demoted, and what is lost."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bot.errors import StoreError
from bot.store.connection import MOST_CONNECTIONS, check, connect, guarded, shown
from bot.store.keys import Keys
from bot.store.queue import Finished, Queue
from bot.testing import wait_until
from tests.worker.conftest import LEASE, Jobs, Log, Start, log, reap, start
from tests.worker.drill import Beat

__all__ = ["log", "start"]  # fixtures of the worker's tests

WORD, WATCHWORD = "hunter22", "hunter33"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@dataclass
class Service:
    """`url` names a Sentinel that is not there before the one that is."""

    url: str
    primary: subprocess.Popen[bytes]
    first: Redis
    second: Redis

    async def replicated(self) -> bool:
        """The replica has everything."""
        return bool(await self.first.wait(1, 1000))

    async def promoted(self) -> bool:
        """The replica is the primary; becoming it, it closes its connections."""
        with suppress(RedisError):
            return bool((await self.second.info("replication"))["role"] == "master")
        return False

    async def die(self) -> None:
        """The primary, without a word."""
        self.primary.kill()
        await asyncio.to_thread(self.primary.wait, 10)


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in running:
        process.kill()
        process.wait(10)


@pytest.fixture
async def service(tmp_path: Path, processes: list[subprocess.Popen[bytes]]) -> AsyncIterator[Service]:
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is needed")
    first, second, sentinel, nobody = (free_port() for _ in range(4))

    def begin(*words: object) -> None:
        processes.append(subprocess.Popen([server, *map(str, words)], stdout=subprocess.DEVNULL, cwd=tmp_path))

    common = ("--bind", "127.0.0.1", "--save", "", "--requirepass", WORD, "--masterauth", WORD, "--repl-diskless-sync-delay", 0)
    begin("--port", first, *common)
    begin("--port", second, *common, "--replicaof", "127.0.0.1", first)
    clients = [Redis(port=port, password=WORD, retry=Retry(NoBackoff(), 0)) for port in (first, second)]

    async def follows() -> bool:
        """For a second after it has read the snapshot a replica may get nothing; only what was written since tells."""
        with suppress(RedisError):
            began = (await clients[0].info("replication"))["master_repl_offset"] > 0
            await clients[0].set("began", 1)
            return began and bool(await clients[0].wait(1, 100))
        return False

    await wait_until(follows)
    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"port {sentinel}\nbind 127.0.0.1\nrequirepass {WATCHWORD}\n"
        f"sentinel monitor main 127.0.0.1 {first} 1\nsentinel auth-pass main {WORD}\n"
        "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
    )
    begin(config, "--sentinel")
    where = f"127.0.0.1:{nobody},127.0.0.1:{sentinel}"
    watch = Redis(port=sentinel, password=WATCHWORD, retry=Retry(NoBackoff(), 0))

    async def watches() -> bool:
        with suppress(RedisError):
            return bool(await watch.sentinel_slaves("main"))
        return False

    await wait_until(watches)
    yield Service(f"redis+sentinel://:{WORD}@{where}/main/0?sentinel_password={WATCHWORD}", processes[0], *clients)
    for client in (*clients, watch):
        await client.aclose()


async def test_a_job_outlasts_the_death_of_the_primary_and_runs_once(
    service: Service, keys: Keys, tmp_path: Path, start: Start, log: Log
) -> None:
    client = connect(service.url)
    await check(client, service.url)
    jobs = Jobs(Queue(client, keys, lease=LEASE), tmp_path)
    reaping = asyncio.create_task(reap(jobs.queue))
    hold = jobs.hold("1")
    for _ in range(2):  # whoever takes what the other holds runs it twice
        start(url=service.url)

    async def serving() -> bool:
        return await client.zcard(keys.workers()) == 2

    await wait_until(serving, 30.0)
    await jobs.submit(Beat(name="1", hold=str(hold)))
    following = asyncio.create_task(jobs.ended("1", 40.0))
    await wait_until(log.runs, 30.0)
    assert await service.replicated()
    await service.die()

    await wait_until(service.promoted, 15.0)
    since = time.monotonic()
    await wait_until(lambda: time.monotonic() - since > LEASE * 4)  # who does not renew has lost it by now, and the reprieve as well
    hold.unlink()
    assert isinstance(await following, Finished)
    await jobs.submit(Beat(name="2"))
    assert isinstance(await jobs.ended("2"), Finished), "the workers go on"
    assert log.names() == ["1", "2"]
    reaping.cancel()
    await jobs.queue.close()
    await client.aclose()


async def test_what_was_written_before_the_last_moment_survives_the_primary(service: Service, keys: Keys) -> None:
    """And every failure meanwhile is one that is waited for."""
    client, key, acknowledged = connect(service.url), keys.button("written"), dict[int, float]()

    @guarded
    async def write(number: int) -> None:
        await client.rpush(key, number)

    async def writing(writer: int) -> None:
        for number in range(writer, 1_000_000, 16):
            if stop.is_set():
                return
            with suppress(StoreError):
                await write(number)
                acknowledged[number] = time.monotonic()
            await asyncio.sleep(0)

    stop = asyncio.Event()
    writers = [asyncio.create_task(writing(writer)) for writer in range(16)]
    await wait_until(lambda: len(acknowledged) > 3000)
    await service.die()
    died = time.monotonic()
    await wait_until(lambda: acknowledged and max(acknowledged.values()) > died + 0.5, 15.0)
    away = min(when for when in acknowledged.values() if when > died + 0.2) - died
    stop.set()
    await asyncio.gather(*writers)
    kept = {int(number) for number in await client.lrange(key, 0, -1)}
    lost = [died - when for number, when in acknowledged.items() if number not in kept]
    told = f"lost {len(lost)} of {len(acknowledged)} writes, the oldest {max(lost, default=0.0):.3f} s before the kill; away {away:.1f} s"
    assert all(age < 1.0 for age in lost), told
    await client.aclose()


async def test_a_primary_that_was_demoted_counts_as_an_absence(service: Service, keys: Keys) -> None:
    """It answers READONLY: the connection goes, the slot stays, and what is closed then asks no Sentinel any more."""
    client = connect(service.url)
    await client.set(keys.button("here"), 1, ex=60)
    held = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py left it bare
    await service.second.replicaof("NO", "ONE")
    await service.first.replicaof("127.0.0.1", service.second.connection_pool.connection_kwargs["port"])

    @guarded
    async def write() -> None:
        await client.set(keys.button("here"), 2, ex=60)

    with pytest.raises(StoreError, match="The previous master is now a slave"):
        await write()
    await client.aclose()
    with pytest.raises(RedisError, match="closed"):
        await held.connect()
    await client.connection_pool.release(held)
    assert client.connection_pool._slots._value == MOST_CONNECTIONS  # type: ignore[attr-defined]  # ours has them
    with pytest.raises(StoreError, match="closed"):
        await write()


async def test_sentinels_that_know_nothing_are_named_without_a_password(service: Service) -> None:
    for wrong in (service.url.replace("/main", "/other"), service.url.replace(WATCHWORD, "wrong"), service.url.replace(WORD, "wrong")):
        client = connect(wrong)
        with pytest.raises(StoreError) as refused:
            await check(client, wrong)
        assert str(refused.value).startswith(shown(wrong))
        assert not any(word in str(refused.value) for word in (WORD, WATCHWORD))
        await client.aclose()
