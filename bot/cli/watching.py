"""`hobnob queue` and `hobnob workers`: who works, who waits, what is left to each. What there is to see: `bot/store/snapshot.py`."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bot.cli.pausing import clock
from bot.cli.reaching import console, setup, store
from bot.config import Config
from bot.store.duty import Leave
from bot.store.foresight import Place, foresee, outlook
from bot.store.keys import Keys
from bot.store.snapshot import Line, Snapshot, Snapshots

MOST_JOBS = 10_000

MOST_FORESEEN = 300
"""Waiting jobs of which it is said when they begin."""

EVERY = 1.0
"""Seconds between two looks."""

NOBODY = "No worker is here, so nothing is answered: `hobnob worker` starts one."


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
        print(json.dumps(_finite([asdict(worker) for worker in seen.workers])))  # noqa: T201  for programs
    else:
        shown = [table for table in (_workers(seen), _turns(seen)) if table.row_count]
        console().print(Group(shown[0], *(part for table in shown[1:] for part in (Text(), table))) if shown else NOBODY)
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
        seen = await snapshots.take(MOST_JOBS)
        if as_json:
            print(_json(seen))  # noqa: T201  for programs
        elif not live:
            console().print(screen(seen))
        else:
            with Live(screen=True, auto_refresh=False) as shown:
                while True:
                    shown.update(screen(await snapshots.take(MOST_JOBS)), refresh=True)
                    await asyncio.sleep(EVERY)


def _json(seen: Snapshot) -> str:
    plain = asdict(seen)
    plain["rates"] = [{"server": server, "wanted": wanted, "per_second": rate} for (server, wanted), rate in seen.rates.items()]
    plain["places"] = {id: asdict(place) for id, place in places(seen).items()}
    return json.dumps(_finite(plain))


def _finite(value: Any) -> Any:
    """JSON has no infinity: what has no end is null."""
    match value:
        case float() if math.isinf(value):
            return None
        case dict():
            return {key: _finite(one) for key, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
    return value


def places(seen: Snapshot) -> dict[str, Place]:
    """When those who wait will be served; nothing where so many wait that it would take long to say."""
    return foresee(outlook(seen)) if 0 < sum(len(line.ids) for line in seen.lines) <= MOST_FORESEEN else {}


def screen(seen: Snapshot) -> Group:
    """Everything on one screen; a snapshot has nothing of what nobody serves."""
    if not seen.workers:
        return Group(Text(NOBODY))
    waiting = sum(len(line.ids) for line in seen.lines)
    running = sum(len(worker.running) for worker in seen.workers)
    workers = "1 worker" if len(seen.workers) == 1 else f"{len(seen.workers)} workers"
    head = Text(f"{waiting} waiting, {running} running, {workers} — {time.strftime('%H:%M:%S')}", style="bold")
    shown = [_workers(seen), _turns(seen), _servers(seen), _models(seen)]
    return Group(head, *(part for table in shown if table.row_count for part in (Text(), table)))


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table without lines; numbers stand on the right."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
    return made


def _workers(seen: Snapshot) -> Table:
    """Who is there, and its models: those in memory with their size, the others dim."""
    pools = len(seen.accounts) > 1
    made = table("worker", "duty", "models", *(["pool"] if pools else []))
    for worker in seen.workers:
        words = [
            Text(f"{model} ({worker.resident[model] / 1e9:.1f} GB)") if model in worker.resident else Text(model, style="dim")
            for model in worker.models
        ]
        made.add_row(worker.name, duty(worker.off), Text(", ").join(words), *([worker.pool] if pools else []))
    return made


def duty(off: Leave | None) -> str:
    """Whether it works, and if not, until when."""
    if off is None:
        return "works"
    if off.off == "drain":
        return "drains"
    return "paused" if math.isinf(off.until) else f"paused until {clock(off.until)}"


def _turns(seen: Snapshot) -> Table:
    """What runs, by worker and model: for whom, and for how long."""
    made = table("turn of", "on", "jobs", "longest", "for", right=("jobs", "longest"))
    for worker in seen.workers:
        for model in dict.fromkeys(run.model for run in worker.running):
            runs = [run for run in worker.running if run.model == model]
            servers = Counter(run.server for run in runs).items()
            who = ", ".join(f"{server} × {count}" if count > 1 else server for server, count in servers)
            parked = " (makes room)" if all(run.parked for run in runs) else ""
            longest = max(run.seconds for run in runs)
            made.add_row(model + parked, worker.name, f"{len(runs)} of {worker.models.get(model, 0)}", f"{longest:.0f} s", who)
    return made


def _servers(seen: Snapshot) -> Table:
    """The servers that wait, who waits longest first; a server's credit is that of its pool where it was served last."""
    made = table(
        "server",
        "waits for",
        "people",
        "jobs",
        "oldest",
        "begins in",
        "left of the round",
        right=("people", "jobs", "oldest", "left of the round"),
    )
    by_server: dict[tuple[str, str], list[Line]] = {}
    for line in seen.lines:
        by_server.setdefault((line.server, line.wanted), []).append(line)
    foreseen = places(seen)
    for (server, wanted), lines in sorted(by_server.items(), key=lambda one: min(line.since for line in one[1])):
        left = [f"{accounts.servers[server]:.1f} s" for accounts in seen.accounts.values() if server in accounts.servers]
        oldest = seen.now - min(line.since for line in lines)
        ids = [id for line in lines for id in line.ids]
        when = span([foreseen[id] for id in ids if id in foreseen])
        made.add_row(server, wanted, str(len(lines)), str(len(ids)), f"{oldest:.0f} s", when, " ".join(left) or "a full share")
    return made


def span(foreseen: Sequence[Place]) -> str:
    """When the first and the last of them begin."""
    if any(place.away for place in foreseen):
        return "paused"
    seconds = sorted(place.seconds for place in foreseen if place.seconds is not None)
    if not seconds:
        return "?"
    return f"{seconds[0]:.0f} s" if round(seconds[0]) == round(seconds[-1]) else f"{seconds[0]:.0f} – {seconds[-1]:.0f} s"


def _models(seen: Snapshot) -> Table:
    made = table("model", "a job takes", right=("a job takes",))
    for model, seconds in sorted(seen.costs.items()):
        made.add_row(model, f"{seconds:.2f} s")
    return made
