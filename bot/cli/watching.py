"""`hobnob queue` and `hobnob workers`: who works, who waits, what is left to each. What there is to see: `bot/store/snapshot.py`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bot.cli.reaching import console, setup, store
from bot.config import Config
from bot.store.keys import Keys
from bot.store.snapshot import Line, Snapshot, Snapshots

MOST_JOBS = 10_000

EVERY = 1.0
"""Seconds between two looks."""


def queue(path: Path | None, *, live: bool, as_json: bool) -> int:
    """Shows the queue once, or until Ctrl-C. Raises StoreError when there is none to look at."""
    config = setup(path, "queue")
    try:
        asyncio.run(_queue(config, live, as_json))
    except KeyboardInterrupt:
        return 0
    return 0


def workers(path: Path | None, *, as_json: bool) -> int:
    """Lists the living workers."""
    config = setup(path, "workers")
    seen = asyncio.run(_once(config))
    if as_json:
        print(json.dumps([asdict(worker) for worker in seen.workers]))  # noqa: T201  for programs
    else:
        console().print(_workers(seen))
    return 0


async def _once(config: Config) -> Snapshot:
    async with _snapshots(config) as snapshots:
        return await snapshots.take(MOST_JOBS)


@asynccontextmanager
async def _snapshots(config: Config) -> AsyncIterator[Snapshots]:
    async with store(config) as redis:
        yield Snapshots(redis, Keys())


async def _queue(config: Config, live: bool, as_json: bool) -> None:
    async with _snapshots(config) as snapshots:
        if as_json:
            print(_json(await snapshots.take(MOST_JOBS)))  # noqa: T201  for programs
        elif not live:
            console().print(screen(await snapshots.take(MOST_JOBS)))
        else:
            with Live(screen=True, auto_refresh=False) as shown:
                while True:
                    shown.update(screen(await snapshots.take(MOST_JOBS)), refresh=True)
                    await asyncio.sleep(EVERY)


def _json(seen: Snapshot) -> str:
    plain = asdict(seen)
    plain["rates"] = [{"server": server, "wanted": wanted, "per_second": rate} for (server, wanted), rate in seen.rates.items()]
    return json.dumps(plain)


def screen(seen: Snapshot) -> Group:
    """Everything on one screen."""
    waiting = sum(len(line.ids) for line in seen.lines)
    running = sum(len(worker.running) for worker in seen.workers)
    head = Text(f"{waiting} waiting, {running} running, {len(seen.workers)} working — {time.strftime('%H:%M:%S')}", style="bold")
    return Group(head, _workers(seen), _servers(seen), _models(seen))


def _workers(seen: Snapshot) -> Table:
    table = Table("worker", "pool", "models", "runs", "longest", box=None)
    for worker in seen.workers:
        longest = max((elapsed for _, elapsed in worker.running), default=0.0)
        runs = f"{len(worker.running)} × {worker.running[-1][0]}" if worker.running else "–"
        table.add_row(worker.name, worker.pool, ", ".join(worker.models), runs, f"{longest:.0f} s" if worker.running else "")
    return table


def _servers(seen: Snapshot) -> Table:
    """The servers that wait, those with the least left first; a server's credit is that of its pool where it was served last."""
    table = Table("server", "waits for", "people", "jobs", "oldest", "left of the round", box=None)
    by_server: dict[tuple[str, str], list[Line]] = {}
    for line in seen.lines:
        by_server.setdefault((line.server, line.wanted), []).append(line)
    for (server, wanted), lines in sorted(by_server.items(), key=lambda one: min(line.since for line in one[1])):
        left = [f"{accounts.servers[server]:.1f} s" for accounts in seen.accounts.values() if server in accounts.servers]
        oldest = seen.now - min(line.since for line in lines)
        jobs = sum(len(line.ids) for line in lines)
        table.add_row(server, wanted, str(len(lines)), str(jobs), f"{oldest:.0f} s", " ".join(left) or "a full share")
    return table


def _models(seen: Snapshot) -> Table:
    table = Table("model", "a job takes", box=None)
    for model, seconds in sorted(seen.costs.items()):
        table.add_row(model, f"{seconds:.2f} s")
    return table
