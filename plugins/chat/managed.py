"""A server that a worker starts, waits for and stops. What it is asked: `openai.py`; who ends it when the worker is killed: `keeper.py`."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from plugins.chat.config import Server

LOOK = 0.2
"""Seconds between two looks whether it answers."""

GRACE = 15.0
"""Seconds in which a server that is told to stop may end by itself."""

KEEPER = Path(__file__).with_name("keeper.py")


@dataclass(slots=True)
class Running:
    """A process of the command; it has until `deadline`, on the monotonic clock, to answer first. Then it is `up`."""

    process: subprocess.Popen[bytes]
    deadline: float
    up: bool = False


class Managed:
    """At most one process of the command at a time. Safe to use from any thread."""

    def __init__(self, name: str, server: Server) -> None:
        self._name = name
        self._server = server
        self._running: Running | None = None
        self._lock = threading.Lock()

    def start(self, wanted: Callable[[], bool]) -> bool:
        """True when it answers, at once when it runs. False once it is not `wanted` any more; it goes on starting then, for the next.

        Raises RuntimeError for one that ends, or says nothing in time.
        """
        running = self._begun()
        while not running.up:
            if not wanted():
                return False
            if fault := self._fault(running):
                self._end(running)
                raise RuntimeError(f"{self._name}: {fault}")
        return True

    def stop(self) -> None:
        """Returns when it has ended."""
        self._end(self._running)

    def _begun(self) -> Running:
        with self._lock:
            if self._running is None or self._running.process.poll() is not None:
                self._close()  # of one that has died
                command = [sys.executable, str(KEEPER), *self._server.command]
                process = subprocess.Popen(command, stdin=subprocess.PIPE, env=_environment())
                self._running = Running(process, time.monotonic() + self._server.patience)
            return self._running

    def _fault(self, running: Running) -> str:
        """Looks whether it is up; what keeps it from that, or ""."""
        if self._answers():
            running.up = True
        elif (code := running.process.poll()) is not None:
            return f"`{self._server.command[0]}` has ended with code {code}; what it said is above"
        elif time.monotonic() > running.deadline:
            return f"expected an answer at {self._server.url} within {self._server.patience:g} s, found none"
        else:
            time.sleep(LOOK)
        return ""

    def _answers(self) -> bool:
        """Whether the list of models is there; any answer but “not yet” will do, because a key may be asked for."""
        try:
            return httpx.get(f"{str(self._server.url).rstrip('/')}/models", timeout=5.0).status_code != httpx.codes.SERVICE_UNAVAILABLE
        except httpx.TransportError:
            return False

    def _end(self, running: Running | None) -> None:
        with self._lock:
            if running is self._running:  # and not another one that was begun meanwhile
                self._close()

    def _close(self) -> None:
        if self._running is None:
            return
        process, self._running = self._running.process, None
        assert process.stdin is not None, "it has a pipe"
        process.stdin.close()  # which the keeper waits for
        try:
            process.wait(GRACE + 5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """Ours, without what only Hobnob is to know."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HOBNOB_")}
