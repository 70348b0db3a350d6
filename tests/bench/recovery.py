"""What becomes of jobs whose worker is killed: when they run again, whether all do, and only once. Ours many times, the others once.

All keep their defaults. The next worker begins at the moment of the kill: not how fast a process starts is measured, but how long nobody
knows. It runs what it gets to the end, so a job that it runs twice is done twice. The worker: `killed.py`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.bench.figures import Figure
from tests.bench.killed import JOBS
from tests.bench.ours import PREFIX
from tests.bench.rivals import installed, server

KILLS = 200
AT_ONCE = 10
"""Houses in which somebody is killed at the same moment; each has a prefix of its own."""

GOAL = 10.0
"""Seconds in which a killed worker's job runs again."""

PATIENCE = 90.0
"""Seconds for which is waited for the jobs; what takes longer is told by the queues' documentation."""

START = 60.0
"""Seconds that a process may take to begin."""

AFTERWARDS = 10.0
"""Seconds for which is looked whether a job runs twice, once all have run: more than our lease."""

TOLD = {
    "saq": "`retries`: 1 attempt in all; one whose worker died is found after its `timeout`, 10 s, by a sweep each 60 s, and given up",
    "taskiq-redis": "`idle_timeout` of the stream broker: 600 s",
    "streaq": "`idle_timeout`: 60 s",
    "bullmq": "`lockDuration` 30 s, looked at each `stalledInterval`, 30 s",
    "pydocket": "`redelivery_timeout`: 300 s",
    "arq": "`job_timeout` of 300 s, and 10 s more",
    "celery": "`visibility_timeout`: 3,600 s, and only with `acks_late`; else what was begun is gone",
}
"""What their documentation says of it, in the releases of `rivals.py`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one kill: after how many seconds the job that was held ran, None where it did not in `PATIENCE`; how many never did, how many
    twice.
    """

    seconds: float | None
    missing: int
    doubled: int


class Part:
    """A process that takes part: what it says, and when, in seconds of the loop's clock."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.said: dict[str, list[float]] = defaultdict(list)
        self._more = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said[line.decode().strip()].append(asyncio.get_running_loop().time())
            self._more.set()
        self._more.set()

    async def until(self, enough: Callable[[], bool], seconds: float) -> None:
        """Raises TimeoutError, and RuntimeError when the process ends before."""
        async with asyncio.timeout(seconds):
            while not enough():
                if self._reading.done():
                    raise RuntimeError(f"the worker ended; it said {dict(self.said)}")
                await self._more.wait()
                self._more.clear()

    async def ready(self) -> None:
        await self.until(lambda: "ready" in self.said, START)

    async def work(self) -> None:
        """Tells the next one to begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        await self.process.stdin.drain()

    def numbers(self, word: str) -> dict[int, list[float]]:
        """When it said this word of which job."""
        return {int(line.split()[1]): times for line, times in self.said.items() if line.startswith(word)}


@asynccontextmanager
async def part(python: Path, home: str, name: str, url: str, which: str, more: Mapping[str, str]) -> AsyncIterator[Part]:
    """One of them, killed at the end; `more` is added to its environment."""
    command = [str(python), "-m", "tests.bench.killed", home, name, url, which]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={**os.environ, **more})
    try:
        yield Part(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def again(python: Path, home: str, name: str, url: str, **more: str) -> Outcome:
    """Somebody asks, a worker is killed, and the next one is watched."""
    async with part(python, home, name, url, "next", more) as following:
        await following.ready()
        async with part(python, home, name, url, "asks", more) as asking:
            await asking.ready()
        async with part(python, home, name, url, "first", more) as first:
            await first.until(lambda: bool(first.numbers("held")), START)
            [(held, [began])] = first.numbers("held").items()
        await following.work()
        with suppress(TimeoutError):
            await following.until(lambda: len(following.numbers("ran")) == JOBS, PATIENCE)
            await asyncio.sleep(AFTERWARDS)
        ran = following.numbers("ran")
    seconds = ran[held][0] - began if held in ran else None
    return Outcome(seconds, JOBS - len(ran), sum(len(times) > 1 for times in ran.values()))


async def ours(url: str, kills: int) -> list[Outcome]:
    """One for each."""
    found: list[Outcome] = []
    for begin in range(0, kills, AT_ONCE):
        numbers = range(begin, min(begin + AT_ONCE, kills))
        found += await asyncio.gather(*(_ours(url, number) for number in numbers))
    return found


async def _ours(url: str, number: int) -> Outcome:
    return await again(Path(sys.executable), "tests.bench.ours", "Ours", url, **{PREFIX: f"race{number}"})


def others(url: str) -> dict[str, Outcome]:
    """All at once: they wait."""

    async def everybody() -> dict[str, Outcome]:
        names = dict(installed())
        found = await asyncio.gather(
            *(again(one.python, one.home, one.entrant, f"{url[:-1]}{at}") for at, one in enumerate(names.values(), 1))
        )
        return dict(zip(names, found, strict=True))

    return asyncio.run(everybody())


def measure(kills: int = KILLS) -> dict[str, Figure]:
    with server() as (_, url):
        mine = asyncio.run(ours(url, kills))
        theirs = others(url)
    for name, outcome in theirs.items():
        if outcome.seconds is None:
            Console().print(f"{name} did not run it again in {PATIENCE:g} s; its documentation: {TOLD[name]}", highlight=False)
    return figures({"ours": mine, **{name: [outcome] for name, outcome in theirs.items()}})


def figures(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, Figure]:
    """By who it is; the goals are ours."""
    found: dict[str, Figure] = {}
    for who, some in outcomes.items():
        goal, times = 0.0 if who == "ours" else None, [one.seconds for one in some if one.seconds is not None]
        if times:
            found[f"a killed worker's job runs again · {who}"] = Figure.of(times, "s", better="lower")
        if who == "ours":
            found[f"a killed worker's job runs again, at most · {who}"] = Figure.most([one.seconds or PATIENCE for one in some], "s", GOAL)
        missing, doubled = [one.missing for one in some], [one.doubled for one in some]
        found[f"of {JOBS} jobs, not run {PATIENCE:g} s after the kill, at most · {who}"] = Figure.most(missing, "jobs", goal)
        found[f"of {JOBS} jobs, run twice, at most · {who}"] = Figure.most(doubled, "jobs", goal)
    return found
