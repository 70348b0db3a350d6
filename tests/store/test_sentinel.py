"""A primary, a replica and a Sentinel, as real processes: what goes on when the primary dies or is demoted, and what is lost."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from tests.guarded import Certificate, Guarded
from tests.ports import free_port
from tests.worker.conftest import Jobs, Log, Start, log, reaped, start
from tests.worker.drill import Beat

__all__ = ["log", "start"]  # fixtures of the worker's tests

WORD, WATCHWORD = "hunter22", "hunter33"

PATIENCE = 60.0
"""Seconds for what a busy machine may take long for; what is true ends the wait at once."""

LEASE = 3.0
"""Seconds; a machine that stands still for longer has two workers run what one should."""


@dataclass
class Service:
    """`url` names a Sentinel that is not there before the one that is."""

    url: str
    primary: subprocess.Popen[bytes]
    first: Redis
    second: Redis

    async def replicated(self) -> bool:
        """The replica has everything."""
        return bool(await answers(self.first, "WAIT", 1, 1000))

    async def promoted(self) -> bool:
        """The replica is the primary; becoming it, it closes its connections."""
        role = await answers(self.second, "ROLE")
        return bool(role) and role[0] == b"master"

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


async def answers(client: Redis, *words: object) -> Any:
    """What it answers; None while it does not."""
    with suppress(RedisError, OSError):
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py left it bare
    return None


@pytest.fixture
async def service(tmp_path: Path, keys: Keys, processes: list[subprocess.Popen[bytes]]) -> AsyncIterator[Service]:
    """All of it with TLS, and with the users of docs/redis.md."""
    server = shutil.which("redis-server")
    if server is None or shutil.which("openssl") is None:
        pytest.skip("redis-server with TLS and openssl are needed")
    first, second, sentinel, nobody = (free_port() for _ in range(4))
    kept = Guarded(Certificate.made(tmp_path), WORD, WATCHWORD, keys.prefix)

    def begin(name: str, config: str) -> None:
        (folder := tmp_path / name).mkdir()
        (folder / "redis.conf").write_text(config)
        kind = ["--sentinel"] if name == "sentinel" else []
        processes.append(subprocess.Popen([server, str(folder / "redis.conf"), *kind], stdout=subprocess.DEVNULL, cwd=folder))

    def connected(port: int, user: str, word: str) -> Redis:
        return Redis(port=port, username=user, password=word, ssl=True, ssl_ca_certs=f"{tmp_path}/cert.pem", retry=Retry(NoBackoff(), 0))

    prompt, admin = {"repl-ping-replica-period": "1"}, f"user default on >{WORD} ~* &* +@all"
    begin("first", kept.server("127.0.0.1", first, prompt, admin))
    begin("second", kept.server("127.0.0.1", second, prompt, admin, of=("127.0.0.1", first)))
    clients = [connected(port, "default", WORD) for port in (first, second)]

    async def follows() -> bool:
        """For a second after it has read the snapshot a replica may get nothing; only what was written since tells."""
        await answers(clients[0], "SET", "began", 1)
        return bool(await answers(clients[0], "WAIT", 1, 100))

    await wait_until(follows, PATIENCE)
    begin("sentinel", kept.sentinel("127.0.0.1", sentinel, ("127.0.0.1", first), 1, 500))
    watch = connected(sentinel, "default", WATCHWORD)
    await wait_until(lambda: answers(watch, "SENTINEL", "REPLICAS", "main"), PATIENCE)
    yield Service(kept.url(("127.0.0.1", nobody), ("127.0.0.1", sentinel)), processes[0], *clients)
    for client in (*clients, watch):
        await client.aclose()


async def test_a_job_outlasts_the_death_of_the_primary_and_runs_once(
    service: Service, keys: Keys, tmp_path: Path, start: Start, log: Log
) -> None:
    client = connect(service.url)
    await check(client, service.url)
    jobs = Jobs(Queue(client, keys, lease=LEASE), tmp_path)
    hold = jobs.hold("1")
    for _ in range(2):  # whoever takes what the other holds runs it twice
        start(LEASE, url=service.url)

    async def serving() -> bool:
        return await client.zcard(keys.workers()) == 2

    async with reaped(jobs.queue):
        await wait_until(serving, PATIENCE)
        await jobs.submit(Beat(name="1", hold=str(hold)))
        following = asyncio.create_task(jobs.ended("1", 3 * PATIENCE))
        await wait_until(log.runs, PATIENCE)
        await wait_until(service.replicated, PATIENCE)
        await service.die()
        await wait_until(service.promoted, PATIENCE)
        before = await wait_until(lambda: answers(service.second, "ZSCORE", f"{keys.prefix}:leases:jobs", "1"), PATIENCE)

        async def renewed() -> bool:
            """For longer than a lease, at the new primary: only its warden does that."""
            found = await answers(service.second, "ZSCORE", f"{keys.prefix}:leases:jobs", "1")
            return found is not None and float(found) - float(before) > LEASE * 1000

        await wait_until(renewed, PATIENCE)
        hold.unlink()
        assert isinstance(await following, Finished)
        await jobs.submit(Beat(name="2"))
        assert isinstance(await jobs.ended("2", PATIENCE), Finished), "the workers go on"
        assert log.names() == ["1", "2"]
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
    await wait_until(lambda: len(acknowledged) > 3000, PATIENCE)
    await service.die()
    died = time.monotonic()
    await wait_until(lambda: acknowledged and max(acknowledged.values()) > died + 0.5, PATIENCE)
    away = min(when for when in acknowledged.values() if when > died + 0.2) - died
    stop.set()
    await asyncio.gather(*writers)
    kept = {int(number) for number in await client.lrange(key, 0, -1)}
    lost = [died - when for number, when in acknowledged.items() if number not in kept]
    told = f"lost {len(lost)} of {len(acknowledged)} writes, the oldest {max(lost, default=0.0):.3f} s before the kill; away {away:.1f} s"
    assert len(lost) < len(acknowledged) / 2, told  # how much it is on a quiet machine: docs/redis.md
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
