"""Many people talk for a while, and nothing goes wrong: what grows? `python -m tests.soak --seconds 900 --rooms 100`, or `make soak`.

They talk in rooms, and on a Discord and a Telegram of ours. A day of a house with twenty requests a minute has 28,800; more people at once
make as many in less time. What keeps a real lifetime (a day for what is remembered of an ended ticket) cannot be hurried: in the end the
store's clock is set a month ahead where libfaketime is, and then nothing may be left; elsewhere keys without a lifetime are named.
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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from bot.store.connection import connect
from bot.store.conversations import Conversations
from bot.store.keys import Keys
from bot.store.rooms import Rooms
from bot.testing import wait_until
from tests.chaos.house import CLOCKS, House
from tests.chaos.people import People
from tests.chaos.platforms import Platforms
from tests.chaos.verdict import judged
from tests.conftest import MAY_STAY
from tests.ports import free_port

EVERY = 5.0
"""Seconds between two looks."""

GROWTH = 1.15
"""What memory may have grown by between the second quarter and the last: buffers settle, leaks do not."""

DESCRIPTORS = 8
"""What descriptors may differ by: connections come and go."""

DRAIN = 300.0

MONTH = 31 * 86_400
"""Seconds: longer than anything is kept that is not kept for good."""


@dataclass(frozen=True, slots=True)
class Look:
    """At one moment: bytes and descriptors by process, keys in the store and its bytes, answers so far."""

    at: float
    memory: dict[str, int]
    files: dict[str, int]
    keys: int
    store: int
    answered: int


def main(words: Sequence[str]) -> int:
    """0 when nothing grew that must not, and nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument(
        "--rooms", type=int, default=10, help="each has three conversations, with four people; and as many channels and groups"
    )
    given = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    faults = asyncio.run(_run(folder, given.seconds, given.rooms))
    Console(soft_wrap=True, highlight=False).print(*(faults or ["Nothing grew, and nothing was lost."]), sep="\n", markup=False)
    if not faults:
        shutil.rmtree(folder)
    return int(bool(faults))


async def _run(folder: Path, seconds: float, count: int) -> list[str]:
    people, platforms = People(1), Platforms(1)
    people.on_discord(platforms.discord, count)
    people.on_telegram(platforms.telegram, count)
    async with platforms.serving():
        house = House(folder, free_port(), more=platforms.config)
        try:
            await house.start()
            redis = connect(house.url)
            rooms = Rooms(redis, Keys(), folder / "files")
            people.in_rooms(rooms, count)
            await wait_until(platforms.used, DRAIN)
            looks = await _live(house, people, redis, seconds)
            verdict = await judged(people, Conversations(redis, Keys()), [])
            families, forever = await _families(redis)
            _show(looks, families, people)
            await rooms.close()
            left = await _a_month_later(house, redis) if CLOCKS else []
            await redis.aclose()
        finally:
            await house.stop()
    return [*verdict.wrong, *(f"left behind: {key}" for key in forever), *_grown(looks), *left, *platforms.faults]


async def _a_month_later(house: House, redis: Redis) -> list[str]:
    """What has outlived its lifetime, once nobody is at work any more."""
    await house.stop(store=False)
    before = await redis.dbsize()
    house.clock(MONTH)

    async def forgotten() -> bool:
        found = [key.decode() async for key in redis.scan_iter(count=1000)]
        left[:] = [key for key in found if not any(f":{kind}" in key for kind in MAY_STAY)]
        return not left

    left: list[str] = []
    with suppress(AssertionError):
        await wait_until(forgotten, DRAIN)
    sys.stdout.write(f"a month later: {len(left)} of {before} keys\n")
    return [f"outlived a month: {key}" for key in left]


async def _live(house: House, people: People, redis: Redis, seconds: float) -> list[Look]:
    looking, talking = people.look(), people.talk()
    began, looks = time.monotonic(), list[Look]()
    while time.monotonic() - began < seconds:
        await asyncio.sleep(EVERY)
        looks.append(await _look(house, people, redis, time.monotonic() - began))
    people.hush()
    await asyncio.gather(*talking)
    await wait_until(lambda: not people.open([]), DRAIN)
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    return looks


async def _look(house: House, people: People, redis: Redis, at: float) -> Look:
    living = {name: psutil.Process(process.pid) for name, process in house.processes.items() if process.poll() is None}
    return Look(
        at,
        {name: process.memory_info().rss for name, process in living.items()},
        {name: process.num_fds() for name, process in living.items()},
        await redis.dbsize(),
        int((await redis.info("memory"))["used_memory"]),
        sum(len(talker.waits) for talker in people.talkers),
    )


async def _families(redis: Redis) -> tuple[Counter[str], list[str]]:
    """Bytes by family of keys once all is answered, and keys that have no lifetime and must have one."""
    sizes, forever = Counter[str](), list[str]()
    async for key in redis.scan_iter(count=1000):
        name = key.decode()
        sizes[name.split(":")[1]] += int(await redis.memory_usage(name) or 0)
        if await redis.ttl(name) == -1 and not any(f":{kind}" in name for kind in MAY_STAY):
            forever.append(name)
    return sizes, forever


def _quarter(looks: Sequence[Look], number: int) -> Sequence[Look]:
    size = max(1, len(looks) // 4)
    return looks[number * size : (number + 1) * size] or looks[-1:]


def _grown(looks: Sequence[Look]) -> list[str]:
    found = []
    for name in looks[-1].memory:
        before, after = (median(look.memory.get(name, 0) for look in _quarter(looks, number)) for number in (1, 3))
        if after > before * GROWTH:
            found.append(f"{name}: {before / 1e6:.0f} MB grew to {after / 1e6:.0f} MB")
        before, after = (median(look.files.get(name, 0) for look in _quarter(looks, number)) for number in (1, 3))
        if after > before + DESCRIPTORS:
            found.append(f"{name}: {before:.0f} descriptors grew to {after:.0f}")
    return found


def _show(looks: Sequence[Look], families: Counter[str], people: People) -> None:
    table = Table("what", "second quarter", "last quarter")
    for name in looks[-1].memory:
        memory = (f"{median(look.memory.get(name, 0) for look in _quarter(looks, number)) / 1e6:.0f} MB" for number in (1, 3))
        files = (f"{median(look.files.get(name, 0) for look in _quarter(looks, number)):.0f}" for number in (1, 3))
        table.add_row(f"{name}: memory", *memory)
        table.add_row(f"{name}: descriptors", *files)
    first, last = looks[0], looks[-1]
    done = max(1, last.answered - first.answered)
    table.add_section()
    table.add_row("answers", f"{people.accepted:,}", f"{done / (last.at - first.at or 1):.1f} a second")
    table.add_row("keys for each answer", "", f"{(last.keys - first.keys) / done:.2f}")
    table.add_row("bytes of the store for each answer", "", f"{(last.store - first.store) / done:,.0f}")
    for family, size in families.most_common(8):
        table.add_row(f"{family}: bytes for each answer", "", f"{size / max(1, people.accepted):,.0f}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
