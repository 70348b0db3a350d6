"""Keeps a worker's leases alive from a process of its own, which no interpreter lock can starve. What it runs: `warden_process.py`."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import structlog

from bot.store.scripts import source
from bot.store.sentinel import watched
from bot.store.shifts import Shift

EVERY = 4
"""Renewals per lease: three may fail."""

log = structlog.get_logger(__name__)


class Warden:
    """The child process that renews while the worker lives, and kills it when a job outlives its timeout."""

    def __init__(self, url: str, shifts: Sequence[Shift]) -> None:
        self._url = url
        self._shifts = shifts
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self) -> None:
        """Starts it, again if it died, and tells it what the worker holds now."""
        if self._process is None or self._process.poll() is not None:
            if self._process is not None:
                log.error("the warden died and is started again", code=self._process.returncode)
            program = Path(__file__).with_name("warden_process.py")
            self._process = subprocess.Popen([sys.executable, "-I", program], stdin=subprocess.PIPE, start_new_session=True)
            service = watched(self._url)
            server = {"url": self._url, "watched": service and asdict(service)}
            script, pause = source("queue_renew", "queue_common"), self._shifts[0].lease / EVERY
            self._say({**server, "script": script, "pause": pause, "worker": os.getpid()})
        self._say([shift.renewal for shift in self._shifts])

    def _say(self, words: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died just now; the next watch starts another
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
            self._process.stdin.flush()

    def dismiss(self) -> None:
        """Ends it; what is held all the same is given away when this process is gone."""
        if self._process is not None and self._process.stdin is not None:
            self._say([shift.renewal for shift in self._shifts if shift.holding])
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)  # it may wait for a Redis that is away, and ends after that by itself
