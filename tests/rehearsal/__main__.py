"""Two machines, four devices, 500 servers, as docs/deploy.md has them, by processes: `python -m tests.rehearsal`, or `make rehearsal`.

Each machine has a router with one shard of Discord, two workers, a store and a Sentinel; a third place has a Sentinel too, and the people.
All of them speak TLS and have the rights of docs/redis.md. Somebody asks in each server; then one machine is cut off and comes back, the
one with the primary loses power, its shard is started on the other, and in the end it comes back, each time while everybody asks. Where
the system lets its users have network namespaces, each machine is in one of its own. What it cannot show: real devices, and the delays
of a real network.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.testing import wait_until
from tests.chaos.chats import OnDiscord
from tests.rehearsal.machines import STAND_IN, Machines
from tests.rehearsal.network import APART, HERE, Network, possible
from tests.wire.discord_server import TOKEN, Discord, serving

CONFIG = """
[admission]
servers = "open"
[connectors.discord]
token = "{token}"
api_url = "{url}/api/v10"
gateway_url = "{gateway}"
cdn_url = "{url}"
shards = 2
catch_up = 300.0
"""

BEGIN = 300.0
"""Seconds in which both shards are there."""

LAPSED = 12.0
"""Seconds after which all leases of who is cut off have lapsed."""

STILL = 45.0
"""Seconds without one more answer, after which there will be none."""


@dataclass
class Round:
    """Everybody asked once: by place, what."""

    name: str
    asked: dict[int, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    """Until the last answer."""


@dataclass
class Town:
    """500 guilds, with a channel and somebody in each."""

    discord: Discord
    count: int
    places: list[OnDiscord] = field(init=False)

    def __post_init__(self) -> None:
        self.places = [self._place(number) for number in range(self.count)]

    def _place(self, number: int) -> OnDiscord:
        world = self.discord.world
        channel = world.channel(world.guild(f"Server {number}"), f"talk-{number}")
        return OnDiscord(self.discord, channel, {"Ada": world.user(f"Ada{number}")})

    async def ask(self, name: str) -> Round:
        """Somebody asks in each."""
        asked = {
            number: await place.say("Ada", f"aside {name} question of server {number}", "") for number, place in enumerate(self.places)
        }
        return Round(name, asked)

    async def answers(self, round: Round, number: int) -> int:
        """How many answers stand below what was asked there."""
        return sum(one.asked == round.asked[number] and not one.busy for one in await self.places[number].shown())

    async def answered(self, round: Round, *, least: int = 0) -> None:
        """Waits until all are answered, or so many; at the latest when there is nothing new for a while."""
        changed = time.monotonic()
        waiting = set(round.asked)
        while waiting and time.monotonic() < changed + STILL and not 0 < least <= self.count - len(waiting):
            if done := {number for number in waiting if await self.answers(round, number)}:
                waiting -= done
                changed = time.monotonic()
            await asyncio.sleep(0.1)
        round.seconds = changed - round.began

    def deaf(self, shard: int) -> None:
        """Discord misses a heartbeat of whoever had this shard, and sends nothing there any more."""
        for session in self.discord.gateway.sessions.values():
            if session.shard[0] == shard:
                session.socket = None

    def shards(self) -> set[int]:
        """Those that somebody listens to."""
        sessions = self.discord.gateway.sessions.values()
        return {one.shard[0] for one in sessions if one.socket is not None and not one.socket.closed}


def main(words: Sequence[str]) -> int:
    """0 when everybody was answered once, each time, but for what a failover may lose."""
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description=__doc__)
    parser.add_argument("--servers", type=int, default=500)
    parser.add_argument("--apart", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if missing := [program for program in ("redis-server", "openssl") if shutil.which(program) is None]:
        sys.stderr.write(f"{' and '.join(missing)}: needed, and not here\n")
        return 2
    if not given.apart and possible():
        os.execvp(APART[0], [*APART, sys.executable, "-m", "tests.rehearsal", "--apart", *words])
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    network = Network(2) if given.apart else None
    sys.stdout.write(
        "each machine in a network namespace of its own\n" if network else "no network namespaces here: one loopback for all\n"
    )
    try:
        faults = asyncio.run(_run(folder, given.servers, network))
    finally:
        if network is not None:
            network.close()
    Console(soft_wrap=True, highlight=False).print(*(faults[:20] or ["Nobody was answered twice."]), sep="\n", markup=False)
    if not faults:
        shutil.rmtree(folder)
    return int(bool(faults))


async def _run(folder: Path, servers: int, network: Network | None) -> list[str]:
    discord = Discord()
    async with serving(discord, HERE if network else "127.0.0.1"):
        town = Town(discord, servers)
        more = CONFIG.format(token=TOKEN, url=discord.url, gateway=discord.gateway.url.removesuffix("/"))
        machines = Machines(folder, network, more)
        try:
            await machines.start()
            await wait_until(lambda: town.shards() == {0, 1}, BEGIN)
            rounds = await _rounds(machines, town)
        finally:
            await machines.stop()
        return await _shown(rounds, town)


async def _rounds(machines: Machines, town: Town) -> list[Round]:
    calm = await town.ask("calm")
    await town.answered(calm)
    cut = await town.ask("cut off")
    machines.plug(1, inside=False)
    await asyncio.gather(town.answered(cut, least=town.count // 4), asyncio.sleep(LAPSED))
    machines.plug(1, inside=True)  # what it still thinks that it holds is refused
    await town.answered(cut)
    dead = await town.ask("power lost")
    await town.answered(dead, least=town.count // 4)
    machines.lose_power(0)
    town.deaf(0)
    machines.begin(STAND_IN)
    await town.answered(dead)
    alone = await town.ask("one machine")
    await town.answered(alone)
    await machines.end(STAND_IN)
    machines.power(0)
    back = await town.ask("come back")
    await town.answered(back)
    return [calm, cut, dead, alone, back]


async def _shown(rounds: Sequence[Round], town: Town) -> list[str]:
    """A failover may lose what the replica did not have yet; everything else is a fault."""
    table, faults = Table("round", "servers", "until the last answer", "lost", "answered twice"), list[str]()
    for one in rounds:
        counts = [await town.answers(one, number) for number in range(town.count)]
        lost, twice = counts.count(0), sum(count > 1 for count in counts)
        table.add_row(one.name, f"{town.count}", f"{one.seconds:.1f} s", f"{lost}", f"{twice}")
        faults += [f"{one.name}: {twice} were answered twice"] * (twice > 0)
        faults += [f"{one.name}: {lost} were never answered"] * (lost > 0 and one.name != "power lost")
    Console().print(table)
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
