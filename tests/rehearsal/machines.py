"""Two machines as docs/deploy.md has them, and a third that only votes: stores, Sentinels, routers and workers as processes. What
happens to them: `__main__.py`."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from bot.store.connection import connect
from bot.testing import wait_until
from tests.chaos.house import House, answers
from tests.guarded import Certificate, Guarded
from tests.ports import free_port
from tests.rehearsal.network import HERE, Network

DURABLE = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}

DOWN = 2000
"""Milliseconds after which a Sentinel takes a primary for dead; the cores here are busy."""

PATIENCE = 120.0
"""Seconds for what a busy machine may take long for."""

STAND_IN = "router 3"
"""The router that an operator starts on the second machine when the first is gone for good."""


def machine(name: str) -> int:
    """Which machine something is on, by the number in its name."""
    return int(name.split()[1]) % 2


class Machines(House):
    """`power` says which machines run. The store of the first is the primary, until it dies."""

    def __init__(self, folder: Path, network: Network | None, more: str) -> None:
        super().__init__(folder, free_port(), routers=2, workers=4, more=more)
        self._network = network
        self._hosts = ["127.0.0.1"] * 3 if network is None else [network.address(0), network.address(1), HERE]
        self._guarded = Guarded(Certificate.made(folder, *self._hosts), "rehearsal", "watching")
        self._stores = [(host, free_port()) for host in self._hosts[:2]]
        self._sentinels = [(host, free_port()) for host in self._hosts]
        self._servers: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return self._guarded.url(*self._sentinels)

    def _where(self, name: str) -> list[str]:
        return [] if self._network is None else self._network.on(machine(name))

    def _told(self, name: str) -> dict[str, str]:
        kind, number = name.split()
        shard = 0 if name == STAND_IN else int(number)
        return {"HOBNOB_CONNECTORS__DISCORD__SHARD_IDS": f"[{shard}]"} if kind == "router" else {}

    async def start_store(self) -> None:
        """A primary, a replica that has everything, and three Sentinels of which two decide."""
        off = "user default off"
        for number, of in enumerate((None, self._stores[0])):
            self._configure(f"store {number}", self._guarded.server(*self._stores[number], DURABLE, off, of=of))
            self._serve(f"store {number}")
        await self._answering()
        for number, place in enumerate(self._sentinels):
            self._configure(f"sentinel {number}", self._guarded.sentinel(*place, self._stores[0], 2, DOWN))
            self._serve(f"sentinel {number}")
        client = connect(self.url)
        await wait_until(lambda: answers(client), PATIENCE)
        await client.aclose()

    async def _answering(self) -> None:
        host, port = self._stores[0]
        client = connect(f"rediss://hobnob:{self._guarded.word}@{host}:{port}/0?{self._guarded.certificate.query}")
        await wait_until(lambda: answers(client), PATIENCE)

        async def followed() -> bool:
            return int((await client.info("replication"))["connected_slaves"]) == 1

        await wait_until(followed, PATIENCE)
        await client.aclose()

    def _configure(self, name: str, config: str) -> None:
        folder = self.folder / name.replace(" ", "-")
        folder.mkdir()
        (folder / "redis.conf").write_text(config)

    def _serve(self, name: str) -> None:
        folder = self.folder / name.replace(" ", "-")
        kind = ["--sentinel"] if name.startswith("sentinel") else []
        where = [] if name == "sentinel 2" else self._where(name)  # that one is where people are
        with (folder / "log").open("ab") as log:
            self._servers[name] = subprocess.Popen([*where, "redis-server", "redis.conf", *kind], stdout=log, stderr=log, cwd=folder)

    def plug(self, number: int, *, inside: bool) -> None:
        """A machine's cable; nobody is told."""
        if self._network is not None:
            self._network.cable(number, "up" if inside else "down")

    def lose_power(self, number: int) -> None:
        """A machine is gone, with everything on it; nor does its end of any connection say so."""
        self.plug(number, inside=False)
        gone = [name for name in self.processes if machine(name) == number]
        self._names = [name for name in self._names if name not in gone]
        for name in gone:
            self.kill(self.processes[name], warden=True)
        for name in (f"store {number}", f"sentinel {number}"):
            self._servers[name].kill()
            self._servers[name].wait()

    def begin(self, *names: str) -> None:
        """An operator starts these, and they are kept running."""
        self._names += names

    def power(self, number: int) -> None:
        """The machine comes back, with the store as it was on its disk; it is a replica now, as its Sentinels will tell it."""
        self.plug(number, inside=True)
        for name in (f"store {number}", f"sentinel {number}"):
            self._serve(name)
        self.begin(*(name for name in ("router 0", "router 1", *(f"worker {number}" for number in range(4))) if machine(name) == number))

    async def end(self, name: str) -> None:
        """An operator stops this."""
        self._names.remove(name)
        self.processes[name].terminate()
        await asyncio.to_thread(self.processes[name].wait)

    async def stop(self, *, store: bool = True) -> None:
        await super().stop(store=False)
        for process in self._servers.values() if store else ():
            process.kill()
            await asyncio.to_thread(process.wait)
