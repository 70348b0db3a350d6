"""`hobnob pause` and `resume`, `hobnob workers pause`, `drain`, `resume`: who is off duty. What workers do then: `bot/worker/loop.py`."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import typer

from bot.cli.reaching import setup, store
from bot.config import Config
from bot.errors import UserError
from bot.store.duty import ALL, Duty, Leave
from bot.store.keys import Keys
from bot.store.snapshot import Snapshots, Worker

FREED = 12.0
"""Seconds in which a paused worker has let go of its device, and a little more."""

STEP = 0.1

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def pause(path: Path | None, until: str | None, name: str | None = None) -> int:
    """Sends one worker off duty, or all that have a device; 1 when one of them still holds memory after a while."""
    given = Leave("pause", moment(until, datetime.now().astimezone()) if until else math.inf)
    return asyncio.run(_send(setup(path, "pause"), given, name))


def drain(path: Path | None, name: str) -> int:
    """The worker ends what it has begun, and takes nothing new."""
    return asyncio.run(_send(setup(path, "drain"), Leave("drain"), name))


def resume(path: Path | None, name: str | None = None) -> int:
    """Back on duty: one worker, or all that were paused."""
    return asyncio.run(_resume(setup(path, "resume"), name))


async def _send(config: Config, given: Leave, name: str | None) -> int:
    async with store(config) as redis:
        duty, snapshots = Duty(redis, Keys()), Snapshots(redis, Keys())
        living = (await snapshots.take(0)).workers
        names = [ALL] if name is None else [named(living, name)]
        await duty.order(names, given)
        typer.echo(ordered(given, names))
        return await _freed(snapshots, names) if given.off == "pause" else 0


async def _resume(config: Config, name: str | None) -> int:
    async with store(config) as redis:
        living = (await Snapshots(redis, Keys()).take(0)).workers
        names = [ALL] if name is None else [named(living, name)]
        was_off = await Duty(redis, Keys()).resume(names)
        left = [worker.name for worker in (await Snapshots(redis, Keys()).take(0)).workers if worker.off is not None]
    typer.echo(resumed(was_off, [] if name is not None else left))
    return 0


def resumed(was_off: bool, left: Sequence[str]) -> str:
    """What to say when somebody is to be back on duty, and these are not."""
    said = "On duty again" if was_off else "Nothing was paused"
    if not left:
        return f"{said}."
    return f"{said}, but {', '.join(left)} {'is' if len(left) == 1 else 'are'} off duty: `hobnob workers resume NAME`."


async def _freed(snapshots: Snapshots, names: Sequence[str]) -> int:
    """Says who has let go of its device, as it happens; 1 when somebody does not."""
    told: set[str] = set()
    deadline = time.monotonic() + FREED
    while True:
        meant = [worker for worker in (await snapshots.take(0)).workers if worker.name in names or (ALL in names and worker.owns)]
        for worker in meant:
            if not worker.resident and not worker.running and worker.id not in told:
                typer.echo(f"{worker.name} has nothing in memory.")
                told.add(worker.id)
        left = [worker for worker in meant if worker.id not in told]
        if not left:
            return 0
        if time.monotonic() > deadline:
            for worker in left:
                typer.echo(f"hobnob: {worker.name} still holds {', '.join(worker.resident) or 'what it runs'}; its log says why", err=True)
            return 1
        await asyncio.sleep(STEP)


def ordered(given: Leave, names: Sequence[str]) -> str:
    """What was ordered, and what ends it."""
    who = "All workers with a device" if ALL in names else ", ".join(names)
    ends = "hobnob resume" if ALL in names else f"hobnob workers resume {names[0]}"
    if given.off == "drain":
        return f"{who}: ends what it has begun and takes nothing new. `{ends}` takes that back."
    until = "" if math.isinf(given.until) else f" until {clock(given.until)}"
    return f"{who}: paused{until}. Who asks is told so; `{ends}` ends it."


def clock(moment: float) -> str:
    """A moment on this machine's clock, with the day where it is not today."""
    there, now = datetime.fromtimestamp(moment).astimezone(), datetime.now().astimezone()
    return f"{there:%H:%M}" if there.date() == now.date() else f"{there:%Y-%m-%d %H:%M}"


def named(living: Sequence[Worker], name: str) -> str:
    """The name of a worker that lives. Raises UserError for one that does not, with those that do."""
    names = sorted({worker.name for worker in living})
    if name not in names:
        raise UserError(f"expected the name of a worker, found {name!r}; there is {', '.join(names) or 'none'}")
    return name


def moment(words: str, now: datetime) -> float:
    """Seconds since 1970 of a time of day that comes next ("18:30"), of a day and a time, or so long from now ("90m", "2h").

    Raises UserError for anything else, and for what has passed.
    """
    if found := re.fullmatch(r"(\d+)\s*([smhd])", words):
        return now.timestamp() + int(found[1]) * UNITS[found[2]]
    try:
        there = datetime.fromisoformat(words if "-" in words else f"{now.date()} {words}").replace(tzinfo=now.tzinfo)
    except ValueError:
        raise UserError(f"expected a time like 18:30, '2026-12-24 18:30' or 2h, found {words!r}") from None
    if there <= now and "-" not in words:
        there += timedelta(days=1)
    if there <= now:
        raise UserError(f"{words!r} has passed")
    return there.timestamp()
