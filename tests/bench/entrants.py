"""Other queues, with their own defaults but for ten jobs at once. Each runs in its own environment; the race: `race.py`."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from tests.bench.race import CONCURRENCY, Ran


class Saq:
    """Lists, BLMOVE."""

    async def connect(self, url: str, ran: Ran) -> None:
        from saq import Queue, Worker

        async def job(ctx: Any, *, number: int) -> None:
            ran(number)

        self.queue = Queue.from_url(url)
        await self.queue.connect()
        self.worker = Worker(self.queue, [("job", job)], concurrency=CONCURRENCY)

    async def work(self) -> None:
        self.task = asyncio.ensure_future(self.worker.start())

    async def enqueue(self, number: int) -> None:
        await self.queue.enqueue("job", number=number)


class Taskiq:
    """Streams; a list would be quicker, but what a worker had in hands is lost with it."""

    async def connect(self, url: str, ran: Ran) -> None:
        from taskiq_redis import RedisStreamBroker

        broker: Any = RedisStreamBroker(url)
        self.broker = broker

        @broker.task  # type: ignore[untyped-decorator]
        async def job(number: int) -> None:
            ran(number)

        self.job = job
        await broker.startup()

    async def work(self) -> None:
        from taskiq.api import run_receiver_task

        self.task = asyncio.ensure_future(run_receiver_task(self.broker, max_async_tasks=CONCURRENCY))

    async def enqueue(self, number: int) -> None:
        await self.job.kiq(number)


class Streaq:
    """Streams, with coredis."""

    async def connect(self, url: str, ran: Ran) -> None:
        from streaq import Worker

        worker: Any = Worker(url, concurrency=CONCURRENCY, handle_signals=False)

        @worker.task  # type: ignore[untyped-decorator]
        async def job(number: int) -> None:
            ran(number)

        self.job, self.worker = job, worker
        self.stack = AsyncExitStack()
        await self.stack.enter_async_context(worker)

    async def work(self) -> None:
        await self.stack.aclose()  # a worker that runs enters itself
        self.task = asyncio.ensure_future(self.worker.run_async())
        await asyncio.sleep(0.5)

    async def enqueue(self, number: int) -> None:
        await self.job.enqueue(number)


class Bullmq:
    """Lists and scripts."""

    async def connect(self, url: str, ran: Ran) -> None:
        from bullmq import Queue, Worker

        async def job(job: Any, token: str) -> None:
            ran(job.data["number"])

        self.queue = Queue("race", {"connection": url})
        self.worker = Worker("race", job, {"connection": url, "concurrency": CONCURRENCY, "autorun": False})

    async def work(self) -> None:
        self.task = asyncio.ensure_future(self.worker.run())

    async def enqueue(self, number: int) -> None:
        await self.queue.add("job", {"number": number})


class Docket:
    """Streams and scripts. A busy worker looks again after 10 ms, instead of 250, its default."""

    async def connect(self, url: str, ran: Ran) -> None:
        from docket import Docket

        async def job(number: int) -> None:
            ran(number)

        self.job = job
        self.stack = AsyncExitStack()
        self.docket = await self.stack.enter_async_context(Docket("race", url))
        self.docket.register(job)

    async def work(self) -> None:
        from docket import Worker

        looks = timedelta(milliseconds=10)
        worker = await self.stack.enter_async_context(Worker(self.docket, concurrency=CONCURRENCY, minimum_check_interval=looks))
        self.task = asyncio.ensure_future(worker.run_forever())

    async def enqueue(self, number: int) -> None:
        await self.docket.add(self.job)(number)


class Celery:
    """Lists. Its workers are processes or threads of their own; threads here, so that the job's first line is in this process."""

    async def connect(self, url: str, ran: Ran) -> None:
        from celery import Celery as App

        loop = asyncio.get_running_loop()
        app: Any = App("race", broker=url)

        async def told(number: int) -> None:
            ran(number)

        app.conf.task_ignore_result = True
        app.conf.worker_redirect_stdouts = False  # else what the race says goes to its log

        @app.task(name="job")  # type: ignore[untyped-decorator]
        def job(number: int) -> None:
            asyncio.run_coroutine_threadsafe(told(number), loop).result()

        self.job, self.app = job, app

    async def work(self) -> None:
        worker = self.app.Worker(pool="threads", concurrency=CONCURRENCY, loglevel="ERROR", without_gossip=True, without_mingle=True)
        threading.Thread(target=worker.start, daemon=True).start()

    async def enqueue(self, number: int) -> None:
        await asyncio.to_thread(self.job.delay, number)


class Arq:
    """A sorted set that is polled: every 10 ms here, instead of every 500, its default."""

    async def connect(self, url: str, ran: Ran) -> None:
        from arq import create_pool, func
        from arq.connections import RedisSettings

        async def job(ctx: Any, number: int) -> None:
            ran(number)

        self.job, self.settings = func(job, name="job"), RedisSettings.from_dsn(url)
        self.pool = await create_pool(self.settings)

    async def work(self) -> None:
        from arq.worker import Worker

        worker = Worker([self.job], redis_settings=self.settings, max_jobs=CONCURRENCY, poll_delay=0.01, handle_signals=False)
        self.task = asyncio.ensure_future(worker.async_run())

    async def enqueue(self, number: int) -> None:
        await self.pool.enqueue_job("job", number)
