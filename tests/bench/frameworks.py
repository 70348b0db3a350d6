"""Bots with an echo and twenty handlers that nothing reaches: ours and those that people write with other libraries, on our platforms.

From the bytes of a message on the socket to the bytes of its answer; who is measured takes turns with the others. Each library has an
environment of its own, in which it is as it comes, with the parser of JSON that it takes where there is one; its event loop is the one that
its own `run` takes, ours is the product's. The platforms: `stages.py`; our bot: `echo.py`; theirs: `tests/data/frameworks/`.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import psutil

from bot.testing import wait_until
from tests.bench.figures import Figure
from tests.bench.rivals import server
from tests.bench.stages import PATIENCE, Stage, stage
from tests.environments import ROOT, Uninstallable, environment

ROUNDS, STARTS = 5, 2
ALONE = 100
"""Messages one after the other in a round."""

WARM, TOGETHER, AT_ONCE = 0.5, 2.0, 64
"""Seconds of a round in which so many messages are on their way: whoever is quick is not measured by fewer of a machine's moods."""

THEIRS = ROOT / "tests/data/frameworks"


@dataclass(frozen=True)
class Entrant:
    """A bot, on its platform. `command` is followed by where that is; `prefix` calls it, and `more` it is told besides."""

    platform: str
    command: Sequence[str]
    prefix: str = ""
    more: Sequence[str] = ()

    def words(self, stage: Stage) -> list[str]:
        """Its command line."""
        where = stage.where if "-m" in self.command else stage.where[1:]
        return [*self.command, *where, *self.more]


@dataclass(frozen=True)
class Other:
    """A library, what is installed for it, and its bot."""

    platform: str
    packages: tuple[str, ...]
    script: str
    prefix: str = ""
    more: tuple[str, ...] = ()


PTB = ("python-telegram-bot==22.8",)

OTHERS = {
    "discord.py": Other("discord", ("discord.py==2.7.1", "orjson==3.13.0"), "with_discordpy.py", "!echo "),
    "python-telegram-bot": Other("telegram", PTB, "with_ptb.py", more=("1",)),
    "python-telegram-bot, 256 at once": Other("telegram", PTB, "with_ptb.py", more=("256",)),
    "aiogram": Other("telegram", ("aiogram==3.31.0",), "with_aiogram.py"),
    "nonebot2": Other("telegram", ("nonebot2[aiohttp]==2.5.0", "nonebot-adapter-telegram==0.1.0b20"), "with_nonebot.py"),
}

RIVALS = {"discord": ("discord.py",), "telegram": ("python-telegram-bot", "python-telegram-bot, 256 at once")}
"""Those whose throughput ours is held against."""

SELDOM = ("aiogram", "nonebot2")
"""Those that race in every other round: they take longest, and nothing is asked about them."""

UNITS = {"messages/s": "messages/s", "p50": "ms", "p99": "ms", "processor": "ms/message", "memory": "MB", "start": "s"}


@dataclass
class Bot:
    """One that runs, and what its rounds gave, in `UNITS`."""

    platform: str
    stage: Stage
    process: psutil.Process
    rounds: dict[str, list[float]] = field(default_factory=lambda: {what: [] for what in UNITS if what != "start"})

    async def warm(self) -> None:
        await self._together(WARM)

    async def race(self) -> None:
        """One round."""
        cuts = statistics.quantiles([1000 * await self.stage.ask() for _ in range(ALONE)], n=100)
        before = self._worked()
        count, took = await self._together(TOGETHER)
        worked = 1000 * (self._worked() - before) / count
        memory = self.process.memory_info().rss / 1e6
        for name, one in zip(self.rounds, (count / took, cuts[49], cuts[98], worked, memory), strict=True):
            self.rounds[name].append(one)

    async def _together(self, seconds: float) -> tuple[int, float]:
        """Messages that were answered, and the seconds until the last of them was."""
        began = time.perf_counter()

        async def talk() -> int:
            count = 0
            while time.perf_counter() < began + seconds:
                await self.stage.ask()
                count += 1
            return count

        counts = await asyncio.gather(*(talk() for _ in range(AT_ONCE)))
        return sum(counts), time.perf_counter() - began

    def _worked(self) -> float:
        used = self.process.cpu_times()
        return used.user + used.system


def measure() -> dict[str, Figure]:
    """Ratios with their goals, and everybody's figures."""
    with server() as (_, url):
        bots, starts = asyncio.run(_race({**_ours(url), **dict(_theirs())}))
    return {**_held_against(bots), **_figures(bots, starts)}


def _ours(url: str) -> dict[str, Entrant]:
    made, command = {}, (sys.executable, "-m", "tests.bench.echo")
    for platform in RIVALS:
        made[f"Hobnob on {platform}"] = Entrant(platform, (*command, url))
        made[f"Hobnob on {platform}, tickets off"] = Entrant(platform, (*command, ""))
    return made


def _theirs() -> Iterator[tuple[str, Entrant]]:
    """The others; one that cannot be installed is named with the reason."""
    for name, other in OTHERS.items():
        try:
            python = environment(name.partition(",")[0], *other.packages)
        except Uninstallable as fault:
            print(f"left out: {fault}", file=sys.stderr)  # noqa: T201
            continue
        yield name, Entrant(other.platform, (str(python), str(THEIRS / other.script)), other.prefix, other.more)


async def _race(entrants: Mapping[str, Entrant]) -> tuple[dict[str, Bot], dict[str, list[float]]]:
    """All of them, in turns, and the seconds after which each heard its platform."""
    starts: dict[str, list[float]] = {name: [] for name in entrants}
    for _ in range(STARTS - 1):
        for name, entrant in entrants.items():
            async with _begun(entrant, starts[name]):
                pass
    async with AsyncExitStack() as stack:
        bots = {name: await stack.enter_async_context(_begun(entrant, starts[name])) for name, entrant in entrants.items()}
        for bot in bots.values():
            await bot.warm()
        for turn in range(ROUNDS):
            for name, bot in bots.items():
                if name not in SELDOM or turn % 2 == 0:
                    await bot.race()
        return bots, starts


@asynccontextmanager
async def _begun(entrant: Entrant, starts: list[float]) -> AsyncIterator[Bot]:
    async with stage(entrant.platform, entrant.prefix) as platform:
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*entrant.words(platform), cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            await wait_until(lambda: platform.ready, PATIENCE)
            starts.append(time.perf_counter() - began)
            yield Bot(entrant.platform, platform, psutil.Process(process.pid))
        finally:
            process.kill()
            await process.wait()


def _held_against(bots: Mapping[str, Bot]) -> dict[str, Figure]:
    """Ratios of what was measured in the same rounds."""
    figures = {}

    def ratio(of: str, to: str, goal: float) -> Figure:
        pairs = zip(bots[of].rounds["messages/s"], bots[to].rounds["messages/s"], strict=True)
        return Figure.of([mine / theirs for mine, theirs in pairs], "×", goal, "higher")

    for platform, rivals in RIVALS.items():
        ours = f"Hobnob on {platform}"
        for rival in (name for name in rivals if name in bots):
            figures[f"{ours}, of {rival}"] = ratio(ours, rival, 0.5)
            figures[f"{ours}, tickets off, of {rival}"] = ratio(f"{ours}, tickets off", rival, 1.0)
    return figures


def _figures(bots: Mapping[str, Bot], starts: Mapping[str, Sequence[float]]) -> dict[str, Figure]:
    """Of those on one platform beside one another."""
    figures = {}
    for what, unit in UNITS.items():
        for name, bot in bots.items():
            runs = starts[name] if what == "start" else bot.rounds[what]
            who = name.replace(f" on {bot.platform}", "")
            figures[f"{what} on {bot.platform} · {who}"] = Figure.of(runs, unit, better="higher" if what == "messages/s" else "lower")
    return figures
