"""What tests of the worker share: a queue, real worker processes, and the log of what ran where."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.store.keys import Keys
from bot.store.queue import Queue, Update
from bot.testing import wait_until
from tests.worker.drill import Beat

LEASE = 0.8
"""Seconds; all other times of the queue follow from it."""

ROOT = Path(__file__).parents[2]


@dataclass
class Jobs:
    """Submits drills and follows them; `reaps` as a router does."""

    queue: Queue
    folder: Path
    tickets: list[str] = field(default_factory=list)

    def hold(self, name: str) -> Path:
        """A file; the jobs that are given it run until it is gone."""
        path = self.folder / f"hold-{name}"
        path.touch()
        return path

    async def submit(self, job: Beat, *, tenant: str = "s", person: str = "", pace: float = 0.0) -> str:
        """The job's name is its id."""
        self.tickets.append(f"t-{job.name}")
        await self.queue.submit(job, id=job.name, ticket=f"t-{job.name}", tenant=tenant, person=person or job.name, pace=pace)
        return job.name

    async def ended(self, id: str, seconds: float = 20.0) -> Update:
        """The last update."""
        async with asyncio.timeout(seconds):
            return [update async for update in self.queue.follow(id)][-1]


@dataclass
class Log:
    """What workers wrote down."""

    path: Path

    def runs(self, what: str = "start") -> list[tuple[str, int]]:
        """(job, process) in order."""
        lines = [line.split() for line in self.path.read_text().splitlines()]
        return [(name, int(pid)) for did, name, pid in lines if did == what]

    def names(self, what: str = "start") -> list[str]:
        return [name for name, _ in self.runs(what)]


@pytest.fixture
async def jobs(redis: Redis, keys: Keys, tmp_path: Path) -> AsyncIterator[Jobs]:
    queue = Queue(redis, keys, lease=LEASE)
    jobs = Jobs(queue, tmp_path)
    async with reaped(queue):
        yield jobs
    for ticket in jobs.tickets:
        await queue.drop(ticket)
    await queue.close()


@asynccontextmanager
async def reaped(queue: Queue) -> AsyncIterator[None]:
    """As routers do, all the time."""

    async def reap() -> None:
        while True:
            with suppress(StoreError):
                await queue.reap()
            await asyncio.sleep(LEASE / 8)

    task = asyncio.create_task(reap())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))  # one that is cut off while it connects leaves a socket behind


@pytest.fixture
def log(tmp_path: Path) -> Log:
    path = tmp_path / "drill.log"
    path.touch()
    return Log(path)


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(redis_url: str, keys: Keys, log: Log) -> Iterator[Start]:
    """Starts a worker process; keys of its configuration are given as they are named there."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(lease: float = LEASE, url: str = redis_url, **table: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.worker.drill", url, keys.prefix, str(lease)]
        chosen = {f"HOBNOB_WORKER__{key.upper()}": value if isinstance(value, str) else json.dumps(value) for key, value in table.items()}
        environ = {**os.environ, **chosen, "DRILL_LOG": str(log.path), "HOBNOB_DATA_DIR": str(log.path.parent)}
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environ))
        return processes[-1]

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(10)


@pytest.fixture
def serving(redis: Redis, keys: Keys) -> Callable[[int], Awaitable[None]]:
    """Returns when so many workers are known."""

    async def count() -> int:
        return int(await redis.zcard(keys.workers()))

    async def serving(workers: int = 1) -> None:
        async def enough() -> bool:
            return await count() >= workers

        await wait_until(enough, 120.0)

    return serving
