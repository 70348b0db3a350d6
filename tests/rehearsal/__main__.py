"""Two machines, four devices, 500 servers, as docs/deploy.md has them, by processes: `python -m tests.rehearsal`, or `make rehearsal`.

The store speaks TLS alone and knows one user with the rights of docs/redis.md; each machine has a router and two workers. Everybody
asks, one machine is cut off and comes back, one loses power and stays away, and each time everybody asks again. Where the system lets its
users have network namespaces, each machine is in one of its own. What it cannot show: real devices, and a real network's delays.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bot.messages import Text
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.places import BOT, Draft, Place, newcomer
from bot.store.rooms import Rooms
from bot.testing import wait_until
from tests.chaos.house import House, answers
from tests.guarded import Certificate, options, rights
from tests.ports import free_port
from tests.rehearsal.network import APART, Network, possible

PASSWORD = "rehearsal"

PATIENCE = 600.0
"""Seconds in which everybody must be answered; a busy machine takes long."""


class Machines(House):
    """Two machines, whose numbers are those of their routers; workers are on that of their number modulo two, the store on the first."""

    def __init__(self, folder: Path, network: Network | None) -> None:
        super().__init__(folder, free_port(), routers=2, workers=4)
        self._network = network
        self._host = "127.0.0.1" if network is None else network.address(0)
        self._certificate = Certificate.made(folder, self._host)

    @property
    def url(self) -> str:
        return f"rediss://hobnob:{PASSWORD}@{self._host}:{self.store_port}/0?{self._certificate.query}"

    def _where(self, name: str) -> list[str]:
        return [] if self._network is None else self._network.on(_machine(name))

    async def start_store(self) -> None:
        """One that nobody reaches without TLS and the user."""
        durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
        users = ["--user", "default", "off", "--user", "hobnob", *rights("hobnob", PASSWORD)]
        place = ["--bind", self._host, "--dir", f"{self.folder}/store", *options(self._certificate.serving(self.store_port))]
        with (self.folder / "store.log").open("ab") as log:
            command = [*self._where("store 0"), "redis-server", *place, *durable, *users]
            self.store = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: ASYNC220  takes a moment
        client = connect(self.url)
        while not await answers(client):
            assert self.store.poll() is None, f"the store did not start: {self.folder}/store.log"
            await asyncio.sleep(0.05)
        await client.aclose()

    def lose_power(self) -> None:
        """The second machine is gone, with everything on it, and nobody starts it again; nor does its end of any connection say so."""
        if self._network is not None:
            self._network.cable(1, "down")
        gone = [name for name in self.processes if _machine(name) == 1]
        self._names = [name for name in self._names if name not in gone]
        for name in gone:
            self.kill(self.processes[name], warden=True)


def _machine(name: str) -> int:
    return int(name.split()[1]) % 2


def main(words: Sequence[str]) -> int:
    """0 when everybody was answered once, each time."""
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
    Console(soft_wrap=True, highlight=False).print(*(faults[:20] or ["Everybody was answered, once."]), sep="\n", markup=False)
    if not faults:
        shutil.rmtree(folder)
    return int(bool(faults))


async def _run(folder: Path, servers: int, network: Network | None) -> list[str]:
    machines, console = Machines(folder, network), Console(soft_wrap=True, highlight=False)
    try:
        await machines.start()
        redis = connect(machines.url)
        rooms = Rooms(redis, Keys(), folder / "files", most=servers)
        asked = [await _ask(rooms, servers, "first")]
        console.print(f"two machines: {servers} servers were answered in {await _answered(rooms, asked[-1]):.1f} s")
        if network is not None:
            asked.append(await _ask(rooms, servers, "second"))
            network.cable(1, "down")
            console.print(f"one is cut off while all ask: answered in {await _answered(rooms, asked[-1]):.1f} s")
            network.cable(1, "up")  # what it still thinks that it holds is refused
        asked.append(await _ask(rooms, servers, "last"))
        machines.lose_power()
        console.print(f"one loses power while all ask: answered in {await _answered(rooms, asked[-1]):.1f} s")
        faults = [fault for each in asked for fault in await _wrong(rooms, each)]
        await rooms.close()
        await redis.aclose()
        return faults
    finally:
        await machines.stop()


async def _ask(rooms: Rooms, servers: int, word: str) -> dict[Place, str]:
    """Somebody asks in each."""
    asked: dict[Place, str] = {}
    for number in range(servers):
        place, person = Place(f"server{number}"), newcomer(f"Ada{number}", f"secret{number}")
        asked[place] = await rooms.say(place, Draft(person, (Text(f"aside {word} question of server {number}"),)), f"{word}{number}")
    return asked


async def _answered(rooms: Rooms, asked: dict[Place, str]) -> float:
    began, waiting = time.monotonic(), dict(asked)

    async def done() -> bool:
        for place, id in list(waiting.items())[:50]:
            if any(not busy for busy in await _answers(rooms, place, id)):
                del waiting[place]
        return not waiting

    await wait_until(done, PATIENCE)
    return time.monotonic() - began


async def _answers(rooms: Rooms, place: Place, id: str) -> list[bool]:
    """Of each message that answers this one, whether it is a status line."""
    return [one.body.busy for one in await rooms.history(place, 20) if one.head.author.id == BOT.id and one.head.reply_to == id]


async def _wrong(rooms: Rooms, asked: dict[Place, str]) -> list[str]:
    found = {place: await _answers(rooms, place, id) for place, id in asked.items()}
    return [f"{place.key}: expected one answer, found {len(busy)}" for place, busy in found.items() if busy != [False]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
