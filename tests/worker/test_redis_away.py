"""Redis dies and comes back while a job runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import embedded
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.queue import Finished, Queue
from bot.testing import wait_until
from tests.worker.conftest import Jobs, Log, Start, reaped
from tests.worker.drill import Beat

LEASE = 2.0
"""Seconds; a worker that stands still for longer, once Redis is back, runs its job twice."""


@pytest.fixture
async def own(tmp_path: Path, keys: Keys) -> AsyncIterator[Queue]:
    """A queue in a server of its own, which may be killed."""
    client = connect(embedded.socket_url(tmp_path))
    queue = Queue(client, keys, lease=LEASE)
    async with reaped(queue):
        yield queue
    await queue.close()
    await client.aclose()


async def test_a_job_outlasts_an_absence_of_redis_and_runs_once(own: Queue, tmp_path: Path, start: Start, log: Log) -> None:
    server = embedded.start(tmp_path)
    jobs = Jobs(own, tmp_path)
    hold = jobs.hold("1")
    start(LEASE, url=embedded.socket_url(tmp_path))
    await jobs.submit(Beat(name="1", hold=str(hold)))
    following = asyncio.create_task(jobs.ended("1", 60.0))
    await wait_until(log.runs, 30.0)
    server.kill()
    server.wait(10)
    hold.unlink()
    await wait_until(lambda: log.names("end"))  # the result finds nobody to take it
    ended = time.monotonic()
    await wait_until(lambda: time.monotonic() - ended > LEASE)  # it has lapsed
    server = embedded.start(tmp_path)
    assert isinstance(await following, Finished)
    assert log.names() == ["1"]
    await jobs.submit(Beat(name="2"))
    assert isinstance(await jobs.ended("2"), Finished), "the worker goes on"
    server.kill()
    server.wait(10)
