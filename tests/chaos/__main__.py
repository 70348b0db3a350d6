"""Lets everything go wrong, a thousand times or for a while, and says what people saw: `python -m tests.chaos --seconds 240 --seed 7`.

They talk in rooms of our own, and on a Discord and a Telegram of ours (tests/wire), which go wrong as well.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from bot.errors import StoreError
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.rooms import Rooms
from bot.store.tickets import Tickets
from bot.testing import wait_until
from tests.chaos.faults import Faults
from tests.chaos.house import House
from tests.chaos.people import CALM, ROUGH, People
from tests.chaos.platforms import Platforms
from tests.chaos.proxy import Proxy
from tests.chaos.verdict import TOLD, Verdict, judged
from tests.conftest import MAY_STAY
from tests.ports import free_port

BEGIN = 300.0
"""Seconds in which everything must have begun."""

DRAIN = 120.0
"""Seconds in which everything must be answered, to its last part, once nothing goes wrong any more."""

PACED = 60.0
"""Seconds that a platform may hold back the later parts of an answer: Telegram takes 20 messages of a group in them."""

GOALS = {"router": 5.0, "worker": 10.0}
"""Seconds until what a killed process held is in other hands, in 99 of 100 cases."""

ROOMS, CHANNELS, GROUPS = 1, 2, 1


def main(words: Sequence[str]) -> int:
    """0 when nothing was lost, doubled, reordered or left behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long things go wrong")
    parser.add_argument("--faults", type=int, default=1000, help="how often they do, where no time is given")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="what goes wrong, and what is said")
    parser.add_argument(
        "--gentle", action="store_true", help="everything is told to stop and started again, and every question must be answered"
    )
    given = parser.parse_args(words)
    console = Console(soft_wrap=True, highlight=False)
    faults = 0 if given.seconds else given.faults
    lasts = f"{given.seconds:.0f} s" if given.seconds else f"{faults} faults"
    console.print(f"seed {given.seed}, {lasts}{', restarts alone' if given.gentle else ''}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    wrong = asyncio.run(_run(folder, given.seconds, faults, given.seed, gentle=given.gentle))
    if wrong:
        console.print(f"seed {given.seed} is at fault; what all said is in {folder}:", *wrong[:40], sep="\n  ", markup=False)
    else:
        shutil.rmtree(folder)
    return int(bool(wrong))


async def _run(folder: Path, seconds: float, least: int, seed: int, *, gentle: bool) -> list[str]:
    proxy, platforms = Proxy(store_port := free_port(), random.Random(f"{seed} proxy")), Platforms(seed)
    people = People(seed, CALM if gentle else ROUGH)
    people.on_discord(platforms.discord, CHANNELS)
    people.on_telegram(platforms.telegram, GROUPS)
    await proxy.start()
    async with platforms.serving():
        house = House(folder, store_port, more=platforms.config)
        house.port = proxy.port
        try:
            await house.start()
            async with _client(house.url) as redis:
                rooms = Rooms(redis, Keys(), folder / "data/files")
                faults = Faults(house, proxy, redis, Keys(), seed, platforms, gentle=gentle)
                people.in_rooms(rooms, ROOMS)
                await wait_until(platforms.used, BEGIN)
                drained, ended = await _live(people, faults, redis, seconds, least)
                verdict = await judged(people, redis, Keys(), faults.store_kills)
                left = await _left(redis, Keys())
                await rooms.close()
        finally:
            await house.stop()
            await proxy.stop()
    failed = [f"{what}, {count} times" for what, count in verdict.counts.items() if gentle and what.startswith(TOLD)]
    if gentle:
        verdict.counts["failed"] = sum(count for what, count in verdict.counts.items() if what.startswith(TOLD))
    _show(people, faults, verdict, drained, ended, house, platforms)
    late = [f"the last ticket ended {ended - drained:.0f} s after the last answer began"] if ended - drained > PACED else []
    return [*verdict.wrong, *left, *late, *_slow(faults), *platforms.faults, *failed]


async def _live(people: People, faults: Faults, redis: Redis, seconds: float, least: int) -> tuple[float, float]:
    """People talk while things go wrong; then seconds until the last answer, and until its later parts are there, which a platform may hold
    back.
    """
    looking, talking = people.look(), people.talk()
    await faults.happen(time.monotonic() + seconds, least)
    people.hush()
    await asyncio.gather(*talking)
    began = time.monotonic()
    drained = DRAIN
    with suppress(AssertionError, StoreError):  # the verdict says what is missing
        await wait_until(lambda: not people.open(faults.store_kills), DRAIN)
        drained = time.monotonic() - began
        await wait_until(lambda: _all_ended(redis), DRAIN - drained)
    ended = time.monotonic() - began
    await asyncio.sleep(5.0)  # what would come twice comes now
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    return drained, ended


async def _all_ended(redis: Redis) -> bool:
    await asyncio.sleep(0.5)  # to look costs the store something
    return not await Tickets(redis, Keys(), "").under_way("")


async def _left(redis: Redis, keys: Keys) -> list[str]:
    """Keys without a lifetime or an owner, and work that nobody does."""
    found = [key async for key in redis.scan_iter(f"{keys.prefix}:*", count=1000)]
    forever = [key.decode() for key in found if await redis.ttl(key) == -1]
    return [f"left behind: {key}" for key in forever if not any(f":{kind}" in key for kind in MAY_STAY)]


def _show(people: People, faults: Faults, verdict: Verdict, drained: float, ended: float, house: House, platforms: Platforms) -> None:
    table = Table("what", "how often", title=f"{faults.counts.total()} faults")
    for name, count in sorted(faults.counts.items()):
        table.add_row(name, f"{count}")
    table.add_section()
    table.add_row("accepted", f"{people.accepted}")
    for name, said in sorted(people.by_platform.items()):
        table.add_row(f"of these on {name}", f"{said}")
    table.add_row("cancelled while they waited", f"{sum(talker.cancelled for talker in people.talkers)}")
    for what, count in sorted(verdict.counts.items()):
        table.add_row(what, f"{count}")
    table.add_section()
    waits = [wait for talker in people.talkers for wait in talker.waits]
    for name, times in [*(one for one in _times(faults) if one[1]), ("answer", waits)]:
        table.add_row(
            f"{name}: p50, p99, most, of", f"{_at(times, 0.5):.1f} s, {_at(times, 0.99):.1f} s, {_at(times, 1):.1f} s, {len(times)}"
        )
    table.add_row("until the last answer, its last part", f"{drained:.1f} s, {ended:.1f} s")
    table.add_row("processes started", f"{sum(house.started.values())}")
    table.add_row("sessions of Discord, and resumed", f"{platforms.discord.gateway.identified}, {platforms.discord.gateway.resumed}")
    table.add_row("calls that platforms found too many", f"{len(platforms.discord.refused)}, {platforms.telegram.pace.refused}")
    Console().print(table)


def _slow(faults: Faults) -> list[str]:
    late = [(kind, _at(times, 0.99)) for kind, times in _times(faults)]
    return [f"{kind}: {seconds:.1f} s until others took over, expected {GOALS[kind]}" for kind, seconds in late if seconds > GOALS[kind]]


def _times(faults: Faults) -> list[tuple[str, list[float]]]:
    return [("router", faults.recovery.router), ("worker", faults.recovery.worker)]


def _at(times: Sequence[float], part: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * part))] if times else 0.0


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[Redis]:
    client = connect(url)
    yield client
    await client.aclose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
