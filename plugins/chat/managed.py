"""A server that a worker starts, waits for and stops. What it is asked: `openai.py`; who ends it when the worker is killed: `keeper.py`."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from plugins.chat.config import Server

LOOK = 0.2
"""Seconds between two looks whether it answers."""

GRACE = 15.0
"""Seconds in which a server that is told to stop may end by itself."""

KEEPER = Path(__file__).with_name("keeper.py")


class Managed:
    """At most one process of the command at a time. Safe to use from any thread."""

    def __init__(self, name: str, server: Server) -> None:
        self._name = name
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Returns when it answers; at once when it runs. Raises RuntimeError for one that ends, or says nothing in time."""
        with self._lock:
            if self._process and self._process.poll() is None:
                return
            self._end()  # of one that has died
            self._process = subprocess.Popen(
                [sys.executable, str(KEEPER), *self._server.command], stdin=subprocess.PIPE, env=_environment()
            )
            try:
                self._wait(self._process)
            except BaseException:
                self._end()
                raise

    def stop(self) -> None:
        """Returns when it has ended."""
        with self._lock:
            self._end()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self._server.patience
        while not self._answers():
            if (code := process.poll()) is not None:
                raise RuntimeError(f"{self._name}: `{self._server.command[0]}` has ended with code {code}; what it said is above")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._name}: expected an answer at {self._server.url} within {self._server.patience:g} s, found none")
            time.sleep(LOOK)

    def _answers(self) -> bool:
        """Whether the list of models is there; any answer but “not yet” will do, because a key may be asked for."""
        try:
            return httpx.get(f"{str(self._server.url).rstrip('/')}/models", timeout=5.0).status_code != httpx.codes.SERVICE_UNAVAILABLE
        except httpx.TransportError:
            return False

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()  # which the keeper waits for
        try:
            process.wait(GRACE + 5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """Ours, without what only Hobnob is to know."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HOBNOB_")}
