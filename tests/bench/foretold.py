"""Whether what is foretold comes true in a real run: a worker process, the queue on a real server, and models that take their time.

Half an hour of the simulation's middle scene in six minutes: jobs, loading, arrivals, and by weights the servers' shares, are a fifth.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

from bot.config import Config
from bot.hookspecs import hookimpl
from bot.jobs import Job, Result
from bot.models import Batch, Memory, Model, Placement
from bot.plugins import Loaded, Plugins
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.queue import Depth, Queue, Running, Waiting
from bot.tables import RedisTable
from bot.testing import wait_until
from bot.worker import app
from tests.bench.fairness import FOUR, ONE
from tests.bench.figures import Figure
from tests.bench.policies import Asked
from tests.bench.rivals import server
from tests.bench.simulation import Scene, arrivals

SCALE = 0.2
"""Large enough that what a claim takes on a busy machine is little beside a job."""

SCENE = Scene(20, 100, 0.55, 3.0, ONE, seconds=1800.0, flood_at=300.0)
LONG = 5.0
"""Seconds of the scene; shorter waits are not counted."""

KEYS = Keys("foretold")


class Napped(Result):
    """It was."""


class Nap(Job[Napped]):
    """Takes so many seconds."""

    kind: ClassVar[str] = "nap"
    timeout: ClassVar[float] = 60.0
    deadline: ClassVar[float] = 3600.0

    seconds: float


class Napper(Model[Nap, Napped]):
    """As large as the whole device, so that models take turns on it."""

    job = Nap

    def __init__(self, name: str) -> None:
        self.name = name

    def memory(self) -> Memory:
        return Memory(2**60)

    def load(self, placement: Placement) -> None:
        time.sleep(SCENE.swap * SCALE)

    def unload(self) -> None:
        """Nothing is held."""

    def run(self, batch: Batch[Nap, Napped]) -> None:
        for work in batch:
            time.sleep(work.job.seconds)
            work.finish(Napped())


class Plugin:
    """The models of the scene."""

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        return [Napper(name) for name in sorted(FOUR)]


def work(url: str) -> int:
    """The worker's process."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(redis=RedisTable(url=SecretStr(url)), data_dir=Path(folder))
        return app.main(config, Plugins([Loaded("nap", Plugin(), version="1")], "model"), keys=KEYS)


class Asking:
    """Submits the scene's jobs in time, and notes for each what was foretold first and what came true, in seconds of the scene."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.foretold: list[tuple[float, float]] = []

    async def all(self, jobs: Sequence[Asked]) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as asking:
            for job in jobs:
                await asyncio.sleep(began + job.at * SCALE - time.monotonic())
                asking.create_task(self._one(job))

    async def _one(self, job: Asked) -> None:
        nap = Nap(model=job.model, seconds=job.seconds * SCALE)
        await self._queue.submit(nap, id=job.id, ticket=job.id, tenant=job.tenant, person=job.person)
        told, at = None, time.monotonic()
        async for update in self._queue.follow(job.id):
            if isinstance(update, Waiting) and update.seconds is not None and told is None:
                told, at = update.seconds, time.monotonic()
            if isinstance(update, Running) and update.loading is None and told is not None:
                self.foretold.append((told / SCALE, (time.monotonic() - at) / SCALE))
                told = None
        await self._queue.drop(job.id)


async def honest(url: str, seed: int) -> float:
    """The part of the first estimates of long waits that came true within a factor of two."""
    redis, jobs = connect(url), arrivals(SCENE, seed)
    queue = Queue(redis, KEYS, depth=Depth(len(jobs), len(jobs)))
    await queue.weigh({job.tenant: SCALE for job in jobs})
    command = [sys.executable, "-m", "tests.bench.foretold", url]
    worker = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await wait_until(queue.served, 60.0)
        asking = Asking(queue)
        await asyncio.wait_for(asking.all(jobs), 3 * SCENE.seconds * SCALE)
    finally:
        worker.terminate()
        await worker.wait()
        await queue.close()
        await redis.aclose()
    long = [(told, true) for told, true in asking.foretold if max(told, true) >= LONG]
    return sum(true / 2 <= told <= true * 2 for told, true in long) / len(long)


def measure(runs: int = 3) -> dict[str, Figure]:
    with server() as (redis, url):
        found = []
        for seed in range(runs):
            redis.flushall()
            found.append(asyncio.run(honest(url, seed)))
    return {"estimates within a factor 2, in real time": Figure.of(found, "of them", 0.8, "higher")}


if __name__ == "__main__":
    sys.exit(work(sys.argv[1]))
