"""Two machines, four devices, 500 servers, as docs/deploy.md has them, by processes: `python -m tests.rehearsal`, or `make rehearsal`.

The store speaks TLS alone and knows one user with the rights of docs/redis.md; each machine has a router and two workers. Everybody
asks, then one machine loses power and stays away, then everybody asks again. What it cannot show: a network, and real devices.
"""

from __future__ import annotations

import argparse
import asyncio
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
from tests.chaos.__main__ import _free_port as free_port
from tests.chaos.house import House, answers

REDIS = Path(__file__).parents[2] / "docs/redis.md"

PASSWORD = "rehearsal"

PATIENCE = 600.0
"""Seconds in which everybody must be answered; a busy machine takes long."""


class Machines(House):
    """Two machines, whose numbers are those of their routers; a worker is on the machine of its number modulo two."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, free_port(), routers=2, workers=4)

    @property
    def url(self) -> str:
        return f"rediss://hobnob:{PASSWORD}@127.0.0.1:{self.store_port}/0?ssl_ca_certs={self.folder}/cert.pem"

    async def start_store(self) -> None:
        """One that nobody reaches without TLS and the user."""
        cert, key = f"{self.folder}/cert.pem", f"{self.folder}/key.pem"
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key, "-out", cert, *subject]
        subprocess.run(made, check=True, capture_output=True)  # noqa: ASYNC221  takes a moment
        tls = ["--tls-port", str(self.store_port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert]
        durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
        users = ["--user", "default", "off", "--user", "hobnob", *_rights()]
        place = ["--bind", "127.0.0.1", "--port", "0", "--dir", f"{self.folder}/store", "--tls-auth-clients", "no"]
        with (self.folder / "store.log").open("ab") as log:
            self.store = subprocess.Popen(["redis-server", *place, *tls, *durable, *users], stdout=log, stderr=log)  # noqa: ASYNC220
        client = connect(self.url)
        while not await answers(client):
            assert self.store.poll() is None, f"the store did not start: {self.folder}/store.log"
            await asyncio.sleep(0.05)
        await client.aclose()

    def lose_power(self) -> None:
        """The second machine is gone, with everything on it, and nobody starts it again."""
        gone = [name for name in self.processes if int(name.split()[1]) % 2]
        self._names = [name for name in self._names if name not in gone]
        for name in gone:
            self.kill(self.processes[name], warden=True)


def _rights() -> list[str]:
    """What the user may do, as documented."""
    (line,) = [line for line in REDIS.read_text(encoding="utf-8").splitlines() if line.startswith("ACL SETUSER hobnob ")]
    return [word.replace("PASSWORD", PASSWORD) for word in line.split()[3:]]


def main(words: Sequence[str]) -> int:
    """0 when everybody was answered once, both times."""
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description=__doc__)
    parser.add_argument("--servers", type=int, default=500)
    given = parser.parse_args(words)
    if missing := [program for program in ("redis-server", "openssl") if shutil.which(program) is None]:
        sys.stderr.write(f"{' and '.join(missing)}: needed, and not here\n")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    faults = asyncio.run(_run(folder, given.servers))
    Console(soft_wrap=True, highlight=False).print(*(faults[:20] or ["Everybody was answered, once."]), sep="\n", markup=False)
    if not faults:
        shutil.rmtree(folder)
    return int(bool(faults))


async def _run(folder: Path, servers: int) -> list[str]:
    machines = Machines(folder)
    try:
        await machines.start()
        redis = connect(machines.url)
        rooms = Rooms(redis, Keys(), folder / "files")
        console = Console(soft_wrap=True, highlight=False)
        asked = await _ask(rooms, servers, "first")
        console.print(f"two machines: {servers} servers were answered in {await _answered(rooms, asked):.1f} s")
        more = await _ask(rooms, servers, "second")
        machines.lose_power()
        console.print(f"one loses power while all ask: answered in {await _answered(rooms, more):.1f} s")
        faults = [*await _wrong(rooms, asked), *await _wrong(rooms, more)]
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
