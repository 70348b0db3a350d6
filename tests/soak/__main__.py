"""Thousands of conversations for days of two and a half minutes: what grows? `python -m tests.soak`, or `make soak`.

One number says how much faster time passes: all that is kept for longer than a minute is kept for so much less (`days.py`), so what is
remembered for a day comes and goes while people talk. Leases, paces and limits of platforms are what they are, because processes and
people are no faster. They talk in rooms, and on a Discord and a Telegram of ours, and nothing goes wrong; what does: `tests/chaos`.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.rooms import Rooms
from bot.testing import wait_until
from tests.chaos.house import House
from tests.chaos.people import People
from tests.chaos.platforms import Platforms
from tests.chaos.verdict import Verdict, judged
from tests.conftest import MAY_STAY
from tests.ports import free_port
from tests.soak.days import DAY, NOW, Days, family

ROOMS = 90
"""Of ours there may be a hundred."""

EVERY = 5.0
"""Seconds between two looks."""

GROWTH = 1.15
"""What memory and keys may have grown by between the second quarter and the last: buffers settle, leaks do not."""

DESCRIPTORS = 8
"""What descriptors may differ by: connections come and go."""

FEW = 20
"""Keys of a family by which chance alone may differ."""

DRAIN = 300.0

YEAR = 366 * DAY
"""Longer than anything is kept that is not kept for good."""


@dataclass(frozen=True, slots=True)
class Look:
    """At one moment: bytes, descriptors and processor seconds by process, keys in the store by family and its bytes, answers so far."""

    at: float
    memory: dict[str, int]
    files: dict[str, int]
    busy: dict[str, float]
    keys: Counter[str]
    store: int
    answered: int


def main(words: Sequence[str]) -> int:
    """0 when nothing grew that must not, and nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--day", type=float, default=150.0, help="seconds that a day lasts")
    parser.add_argument("--servers", type=int, default=500, help="guilds, groups, and rooms up to 90")
    parser.add_argument("--rate", type=float, default=8.0, help="questions a second, of all people together")
    given = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    faults = asyncio.run(_run(folder, given))
    Console(soft_wrap=True, highlight=False).print(*(faults or ["Nothing grew, and nothing was lost."]), sep="\n", markup=False)
    if not faults:
        shutil.rmtree(folder)
    return int(bool(faults))


async def _run(folder: Path, given: argparse.Namespace) -> list[str]:
    people, platforms = People(1, rate=given.rate), Platforms(1)
    people.on_discord(platforms.discord, given.servers, guilds=given.servers)
    people.on_telegram(platforms.telegram, given.servers)
    async with platforms.serving():
        house = House(folder, free_port(), more=platforms.config)
        try:
            await house.start()
            redis = connect(house.url)
            rooms, days = Rooms(redis, Keys(), folder / "files"), Days(redis, Keys().prefix, given.day)
            people.in_rooms(rooms, min(given.servers, ROOMS))
            await wait_until(platforms.used, DRAIN)
            looks = await _live(house, people, redis, days, given.seconds)
            verdict = await judged(people, redis, Keys(), [])
            await rooms.close()
            await house.stop(store=False)
            _show(looks, people, days, verdict)
            kept = await _kept(days)
            await redis.aclose()
        finally:
            await house.stop()
    return [*verdict.wrong, *kept, *_grown(looks), *_more(looks, days), *platforms.faults]


async def _live(house: House, people: People, redis: Redis, days: Days, seconds: float) -> list[Look]:
    looking, talking = people.look(), people.talk()
    began, looks = time.monotonic(), list[Look]()
    while time.monotonic() - began < seconds:
        await asyncio.sleep(EVERY)
        looks.append(await _look(house, people, redis, await days.look(), time.monotonic() - began))
    people.hush()
    await asyncio.gather(*talking)
    await wait_until(lambda: not people.open([]), DRAIN)
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    return looks


async def _look(house: House, people: People, redis: Redis, keys: Counter[str], at: float) -> Look:
    living = {name: psutil.Process(process.pid) for name, process in house.processes.items() if process.poll() is None}
    return Look(
        at,
        {name: process.memory_info().rss for name, process in living.items()},
        {name: process.num_fds() for name, process in living.items()},
        {name: sum(process.cpu_times()[:2]) for name, process in living.items()},
        keys,
        int((await redis.info("memory"))["used_memory"]),
        sum(len(talker.waits) for talker in people.talkers),
    )


async def _kept(days: Days) -> list[str]:
    """Nobody is at work any more, and a year passes: what is there still must be meant to be."""
    await days.leap(YEAR)
    await asyncio.sleep(0.01)  # the millisecond that is left of a lifetime
    await days.leap(0)
    kept = [key for key in days.left if family(key) not in NOW and not any(f":{kind}" in key for kind in MAY_STAY)]
    return [f"kept for more than a year: {key}" for key in kept]


def _quarters(looks: Sequence[Look]) -> tuple[Sequence[Look], Sequence[Look]]:
    """The second and the last."""
    size = max(1, len(looks) // 4)
    return looks[size : 2 * size], looks[-size:]


def _grown(looks: Sequence[Look]) -> list[str]:
    """What processes hold more of."""
    found, (early, late) = [], _quarters(looks)
    for name in looks[-1].memory:
        before, after = (median(look.memory.get(name, 0) for look in some) for some in (early, late))
        if after > before * GROWTH:
            found.append(f"{name}: {before / 1e6:.0f} MB grew to {after / 1e6:.0f} MB")
        before, after = (median(look.files.get(name, 0) for look in some) for some in (early, late))
        if after > before + DESCRIPTORS:
            found.append(f"{name}: {before:.0f} descriptors grew to {after:.0f}")
    return found


def _coming_and_going(looks: Sequence[Look], days: Days) -> list[str]:
    """Families that live for less than a third of all this, so that as many go as come."""
    span = (looks[-1].at - looks[0].at) * days.scale
    return sorted(name for name, lives in days.lives.items() if 0 < lives < span / 3)


def _keys(looks: Sequence[Look], name: str) -> list[float]:
    """Of a family, in the second quarter and in the last."""
    return [median(look.keys[name] for look in some) for some in _quarters(looks)]


def _more(looks: Sequence[Look], days: Days) -> list[str]:
    found = {name: _keys(looks, name) for name in _coming_and_going(looks, days)}
    return [f"{name}: {before:.0f} keys became {after:.0f}" for name, (before, after) in found.items() if after > before * GROWTH + FEW]


def _show(looks: Sequence[Look], people: People, days: Days, verdict: Verdict) -> None:
    early, late = _quarters(looks)
    first, last = looks[0], looks[-1]
    done, span = max(1, last.answered - first.answered), last.at - first.at or 1.0
    table = Table("what", "second quarter", "last quarter", title=f"{span * days.scale / DAY:.1f} days, {days.scale:.0f} times as fast")
    for name in last.memory:
        table.add_row(f"{name}: memory", *(f"{median(look.memory.get(name, 0) for look in some) / 1e6:.0f} MB" for some in (early, late)))
        table.add_row(f"{name}: descriptors", *(f"{median(look.files.get(name, 0) for look in some):.0f}" for some in (early, late)))
    table.add_section()
    going = _coming_and_going(looks, days)
    for name in going:
        table.add_row(f"{name}: keys, for {days.lives[name] / 3600:.1f} h", *(f"{keys:,.0f}" for keys in _keys(looks, name)))
    staying = (median(sum(count for name, count in look.keys.items() if name not in going) for look in some) for some in (early, late))
    table.add_row("keys that live longer", *(f"{keys:,.0f}" for keys in staying))
    table.add_row("store", *(f"{median(look.store for look in some) / 1e6:.1f} MB" for some in (early, late)))
    table.add_section()
    talked = {talker.venue.name for talker in people.talkers if talker.said}
    table.add_row("conversations, of so many", f"{len(talked):,}", f"{len({talker.venue.name for talker in people.talkers}):,}")
    table.add_row("asked, and answers a second", f"{people.accepted:,}", f"{done / span:.1f}")
    for kind in ("router", "worker"):
        spent = sum(busy - first.busy.get(name, 0.0) for name, busy in last.busy.items() if name.startswith(kind))
        table.add_row(f"{kind}s: processor for each answer", "", f"{1000 * spent / done:.1f} ms")
    for what, count in sorted(verdict.counts.items()):
        table.add_row(what, "", f"{count:,}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
