"""Chat, pictures and voice notes at once, from twenty servers of which one floods: how the others fare in our order and in that of arrival.

A worker's process with the starter models, which do not all fit into the memory that it may take. In order of arrival, the head of the
line goes to the worker with those right behind it that want the same model, and the next when they have ended.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from bot.config import load
from bot.jobs import Draw, Generate, Job, Transcribe
from bot.messages import Blob, Text
from bot.store.blobs import Blobs
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.queue import Broken, Depth, Finished, Queue, Running
from bot.testing import wait_until
from bot.turns import Turn
from tests.bench.figures import Figure
from tests.bench.policies import Asked
from tests.bench.rivals import server
from tests.bench.simulation import Scene, arrivals, jain
from tests.bench.speech import stretch
from tests.bench.whole import TOKENS, question
from tests.house import House
from tests.ports import free_port

KINDS = frozenset({"chat", "draw", "voice"})

SCENE = Scene(tenants=20, flood=60, load=0.5, swap=0.0, workers=(KINDS,), seconds=60.0, flood_at=10.0)
"""Half a job a second, half of them of the server that asks for sixty more at once; a job alone takes one second, about."""

WINDOW = 15.0
"""Seconds after the flood at which it is looked who was served how far."""

MEMORY = "900MB"
"""Speech and chat take more together."""

MOST = 16
"""Jobs for one model that go together in order of arrival."""

ROUNDS = 2
PATIENCE = 600.0

ORDERS = ("ours", "in order of arrival")

PLUGINS = "[plugins.chat]\n[plugins.imagine]\n[plugins.transcribe]\n"

CONFIG = """
[redis]
url = "{url}"
[models]
dir = "{models}"
[worker]
memory = "{memory}"
[observe]
worker_port = {port}
"""


@dataclass
class Seen:
    """What came of the jobs of one run, by their ids: seconds on its clock at which they were asked for, begun and done."""

    asked: dict[str, Asked] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)
    loads: float = 0.0
    busy: float = 0.0

    def waits(self) -> list[float]:
        """Of the light servers, the shortest first."""
        return sorted(self.begun[id] - job.at for id, job in self.asked.items() if job.tenant != "heavy")

    def evenness(self) -> float:
        """Jain's index of what part of its jobs each server had done when the flood was `WINDOW` seconds old."""
        end = SCENE.flood_at + WINDOW
        asked = Counter(job.tenant for job in self.asked.values() if job.at < end)
        done = Counter(job.tenant for id, job in self.asked.items() if job.at < end and self.done[id] < end)
        return jain([done[tenant] / count for tenant, count in asked.items()])


class Crowd:
    """Asks for the jobs of a scene in time."""

    def __init__(self, queue: Queue, voice: Blob, name: str) -> None:
        self._queue = queue
        self._voice = voice
        self._name = name
        self._began = 0.0
        self._line: asyncio.Queue[Asked] = asyncio.Queue()
        self.seen = Seen()

    async def all(self, jobs: Sequence[Asked], order: str) -> Seen:
        """Until the last is done."""
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as asking:
            if order != "ours":
                asking.create_task(self._in_order(len(jobs)))
            for job in jobs:
                await asyncio.sleep(job.at - self._now())
                self.seen.asked[job.id] = job
                if order == "ours":
                    asking.create_task(self._one(job))
                else:
                    self._line.put_nowait(job)
        return self.seen

    async def _in_order(self, count: int) -> None:
        head: list[Asked] = []
        while count:
            alike = head or [await self._line.get()]
            head = []
            while len(alike) < MOST and not self._line.empty():
                following = self._line.get_nowait()
                if following.model != alike[0].model:
                    head = [following]
                    break
                alike.append(following)
            async with asyncio.TaskGroup() as group:
                for job in alike:
                    group.create_task(self._one(job))
            count -= len(alike)

    async def _one(self, asked: Asked) -> None:
        id = f"{self._name}-{asked.id}"
        await self._queue.submit(self._job(asked), id=id, ticket=id, tenant=asked.tenant, person=asked.person)
        async for update in self._queue.follow(id):
            if isinstance(update, Running) and update.loading is None:
                self.seen.begun[asked.id] = self._now()
            if isinstance(update, Broken):
                raise update.error
            if isinstance(update, Finished):
                self.seen.done[asked.id] = self._now()
        await self._queue.drop(id)

    def _job(self, asked: Asked) -> Job[Any]:
        if asked.model == "draw":
            return Draw(prompt="a red heart on white", seed=int(asked.id))
        if asked.model == "voice":
            return Transcribe(audio=self._voice)
        turn = Turn(role="person", parts=(Text(question(int(asked.id))),))
        return Generate(turns=(turn,), max_tokens=TOKENS, temperature=0.0)

    def _now(self) -> float:
        return time.monotonic() - self._began


async def counted(port: int) -> tuple[float, float]:
    """How often the worker has loaded a model so far, and the seconds that its jobs took."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status().text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    loads, seconds = (
        sum(sample.value for sample in samples if sample.name == name)
        for name in ("hobnob_model_load_seconds_count", "hobnob_device_seconds_total")
    )
    return loads, seconds


async def one_run(queue: Queue, voice: Blob, port: int, seed: int, order: str) -> Seen:
    """A minute of the scene, and what is left of it."""
    began, (loads, seconds) = time.monotonic(), await counted(port)
    seen = await asyncio.wait_for(Crowd(queue, voice, f"{order}{seed}").all(arrivals(SCENE, seed), order), PATIENCE)
    took, (loads_after, seconds_after) = time.monotonic() - began, await counted(port)
    seen.loads, seen.busy = loads_after - loads, (seconds_after - seconds) / took
    return seen


async def _runs(redis: Redis, port: int) -> dict[str, list[Seen]]:
    queue = Queue(redis, Keys(), depth=Depth(1000, 1000))
    voice = await Blobs(redis, Keys()).put(stretch(5.0, 0), "audio/wav")
    found: dict[str, list[Seen]] = {order: [] for order in ORDERS}
    try:
        await wait_until(queue.served, 120.0)
        first = [Asked(kind, "light", "light", 0.0, str(at), 1.0) for at, kind in enumerate(sorted(KINDS))]
        await Crowd(queue, voice, "first").all(first, "ours")  # loads, and tells what jobs take
        for seed in range(ROUNDS):
            for order in ORDERS:
                found[order].append(await one_run(queue, voice, port, seed, order))
    finally:
        await queue.close()
        await redis.aclose()
    return found


def measure() -> dict[str, Figure]:
    """Both orders by turns."""
    with tempfile.TemporaryDirectory() as folder, server() as (_, url):
        port = free_port()
        house = House(Path(folder), CONFIG.format(url=url, models=load().models_dir, memory=MEMORY, port=port), plugins=PLUGINS)
        with house.begin("worker") as worker:
            found = asyncio.run(_runs(connect(url), port))
            worker.terminate()
    return {
        f"{what} · {order}": Figure.of([one(seen) for seen in found[order]], unit, better=better)
        for what, unit, better, one in WHAT
        for order in ORDERS
    }


def _part(part: int) -> Callable[[Seen], float]:
    return lambda seen: statistics.quantiles(seen.waits(), n=100)[part - 1]


WHAT: tuple[tuple[str, str, Literal["higher", "lower"] | None, Callable[[Seen], float]], ...] = (
    ("light servers' wait, p50", "s", "lower", _part(50)),
    ("light servers' wait, p95", "s", "lower", _part(95)),
    ("light servers' wait, p99", "s", "lower", _part(99)),
    (f"evenness of what is done {WINDOW:g} s after the flood", "Jain", "higher", Seen.evenness),
    ("models loaded", "times", "lower", lambda seen: seen.loads),
    ("the device is busy", "of the time", None, lambda seen: seen.busy),
    ("all is done after", "s", "lower", lambda seen: max(seen.done.values())),
)
