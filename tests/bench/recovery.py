"""How long after its worker was killed a job runs again: ours many times, the others once, with their defaults. The worker: `killed.py`.

The next worker is there all the time, as where there are two. Not how fast a process starts is measured, but how long nobody knows.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from tests.bench.figures import Figure
from tests.bench.ours import PREFIX
from tests.bench.rivals import installed, server

KILLS = 200
AT_ONCE = 10
"""Houses in which somebody is killed at the same moment; each has a prefix of its own."""

GOAL = 10.0
"""Seconds in which a killed worker's job runs again."""

PATIENCE = 90.0
"""Seconds for which the others are watched; what takes longer is told by their documentation."""

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


@asynccontextmanager
async def part(python: Path, home: str, name: str, url: str, which: str, **more: str) -> AsyncIterator[Process]:
    """A process that takes part, killed at the end."""
    command = [str(python), "-m", "tests.bench.killed", home, name, url, which]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL, env={**os.environ, **more})
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def heard(process: Process, words: str) -> None:
    """Until it says so."""
    assert process.stdout is not None
    async for line in process.stdout:
        if line.decode().strip() == words:
            return
    raise RuntimeError(f"the worker ended before it said “{words}”")


async def again(python: Path, home: str, name: str, url: str, **more: str) -> float | None:
    """Seconds from the kill until another worker runs the job; None when it did not in `PATIENCE`."""
    loop = asyncio.get_running_loop()
    async with part(python, home, name, url, "first", **more) as first:
        await asyncio.wait_for(heard(first, "holds 1"), 60)
        async with part(python, home, name, url, "next", **more) as following:
            await asyncio.wait_for(heard(following, "ready"), 60)
            began = loop.time()
            first.send_signal(signal.SIGKILL)
            try:
                await asyncio.wait_for(heard(following, "ran 1"), PATIENCE)
            except TimeoutError:
                return None
            return loop.time() - began


async def ours(url: str, kills: int) -> list[float]:
    """Seconds of each."""
    found: list[float] = []
    for begin in range(0, kills, AT_ONCE):
        numbers = range(begin, min(begin + AT_ONCE, kills))
        took = await asyncio.gather(*(_ours(url, number) for number in numbers))
        found += [PATIENCE if one is None else one for one in took]
    return found


async def _ours(url: str, number: int) -> float | None:
    return await again(Path(sys.executable), "tests.bench.ours", "Ours", url, **{PREFIX: f"race{number}"})


def others(url: str) -> dict[str, float | None]:
    """All at once: they wait."""

    async def everybody() -> dict[str, float | None]:
        names = dict(installed())
        took = await asyncio.gather(
            *(again(one.python, one.home, one.entrant, f"{url[:-1]}{at}") for at, one in enumerate(names.values(), 1))
        )
        return dict(zip(names, took, strict=True))

    return asyncio.run(everybody())


def measure(kills: int = KILLS) -> dict[str, Figure]:
    with server() as (_, url):
        mine = asyncio.run(ours(url, kills))
        theirs = others(url)
    for name, seconds in theirs.items():
        if seconds is None:
            Console().print(f"{name} did not run it again in {PATIENCE:g} s; its documentation: {TOLD[name]}", highlight=False)
    return {
        "a killed worker's job runs again, at most · ours": Figure.of([max(mine)], "s", GOAL, "lower"),
        "a killed worker's job runs again · ours": Figure.of(mine, "s", better="lower"),
        **{
            f"a killed worker's job runs again · {name}": Figure.of([one], "s", better="lower")
            for name, one in theirs.items()
            if one is not None
        },
    }
