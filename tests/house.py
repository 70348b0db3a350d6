"""The whole product as an operator runs it, in a folder of its own: real processes, a real store, a model that needs no weights."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from redis.asyncio import Redis

from bot.locking import holder
from bot.store import embedded
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.testing.connected import journalled
from bot.testing.waiting import wait_until

ECHO = Path(__file__).parent / "data/plugins/echo"

FAMILY = ("router", "worker", "guard.py", "valkey")

HOBNOB = (sys.executable, "-m", "bot.cli")


PDEATHSIG = 1
"""What Linux is told of the signal that a process gets when whoever began it has ended [prctl(2)]."""

_LIBC = ctypes.CDLL(None)


def heeding_ctrl_c() -> None:
    """A suite that a shell runs in the background ignores Ctrl-C, and what it starts would too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ending_with(suite: int) -> None:
    """One that is killed cannot end what it began; the guard of a supervisor that ends so ends the rest. On Linux."""
    if sys.platform == "linux":
        _LIBC.prctl(PDEATHSIG, signal.SIGKILL)
        if os.getppid() != suite:  # it was killed before this
            os.kill(os.getpid(), signal.SIGKILL)


class House:
    """A data directory with a configuration, and what is started in it."""

    def __init__(self, folder: Path, more: str = "", plugins: str = f'[plugins.echo]\npath = "{ECHO}"\n') -> None:
        self.config = folder / "bot.toml"
        self.data = folder / "data"
        self.hold = folder / "hold"
        self.config.write_text(f'data_dir = "{self.data}"\n[web]\nport = 0\n[log]\nformat = "json"\n{plugins}{more}', encoding="utf-8")
        ours = {name: value for name, value in os.environ.items() if not name.startswith("HOBNOB_")}
        self.environ = {**ours, "PARROT_HOLD": str(self.hold)}
        self._log = folder / "log"

    @contextmanager
    def holding(self) -> Iterator[Path]:
        """The model stops in the middle of its answers; it has once the path is there."""
        held = self.hold.with_suffix(".held")
        self.hold.touch()
        try:
            yield held
        finally:
            self.hold.unlink(missing_ok=True)
            held.unlink(missing_ok=True)

    @property
    def family(self) -> dict[str, psutil.Process]:
        """The children of the supervisor, by what they are; one may end while it is looked at."""
        found: dict[str, psutil.Process] = {}
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(holder(self.data)).children():
                with suppress(psutil.Error):
                    words = " ".join(child.cmdline()) + " "
                    found.update({name: child for name in FAMILY if f" {name} " in words or f"/{name}" in words})
        return found

    def do(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        command = [*HOBNOB, words[0], "--config", str(self.config), *words[1:]]
        return subprocess.run(command, env=self.environ, input=given, capture_output=True, text=True, timeout=90, check=False)

    @property
    def log(self) -> str:
        """What all that was begun said on standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Redis]:
        """What it keeps, under the names of `Keys()`."""
        redis = connect(embedded.socket_url(self.data))
        try:
            yield redis
        finally:
            await redis.aclose()

    async def kill(self, asked: str) -> None:
        """Kills the router in the midst of its answer to this, once what the chat shows is journalled: else it may stay as an orphan."""
        async with self.store() as redis:
            await wait_until(lambda: journalled(redis, Keys(), "status", asked), 60.0)
        os.kill(self.family["router"].pid, signal.SIGKILL)

    @contextmanager
    def begin(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A command while it runs; one that has not ended by itself is killed."""
        command = [*HOBNOB, words[0], "--config", str(self.config), *words[1:]]
        with (
            self._log.open("ab") as log,
            subprocess.Popen(
                command,
                env=self.environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=partial(ending_with, os.getpid()),
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def at_terminal(self, terminal: int, *words: str) -> subprocess.Popen[bytes]:
        """Starts a command that takes this for the terminal it was typed in."""
        command = [*HOBNOB, words[0], "--config", str(self.config), *words[1:]]
        streams: dict[str, Any] = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
        return subprocess.Popen(command, env=self.environ, **streams, start_new_session=True, preexec_fn=heeding_ctrl_c)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """`hobnob run`, from its link to its end."""
        with self.begin("run") as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Hobnob is ready: http://127.0.0.1:"), self.log
            try:
                yield process
            finally:
                process.terminate()
                assert process.wait(60) == 0 or process.returncode == -signal.SIGKILL, self.log
                assert process.stdout.read() == "", "one link is enough"
