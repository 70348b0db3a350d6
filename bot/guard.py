"""A small process that ends the others in order when their supervisor stops, or is killed. Starting them: `supervise.py`.

It is run as a script, so that it imports nothing of ours and stays at a few megabytes. It reads lines from its standard
input: `watch LEVEL PID` and `forget PID`. When that ends, however that came about, every process of the highest level gets
a SIGTERM, as many seconds later as its argument says a SIGKILL, and then the level below has its turn.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL, beside `worker.drain`: a router hands its tickets back in two, those that it is just answering in
nine, a worker its jobs in less."""


def follow(lines: Iterable[str]) -> dict[int, int]:
    """What is to be ended once the lines end: levels by process id."""
    watched: dict[int, int] = {}
    for line in lines:
        match line.split():
            case ["watch", level, pid]:
                watched[int(pid)] = int(level)
            case ["forget", pid]:
                watched.pop(int(pid), None)
    return watched


def end(watched: dict[int, int], grace: float = GRACE) -> None:
    """Ends the processes, the highest level first; returns when all are gone."""
    for level in sorted(set(watched.values()), reverse=True):
        left = [pid for pid, of in watched.items() if of == level and _tell(pid, signal.SIGTERM)]
        deadline = time.monotonic() + grace
        while left and time.monotonic() < deadline:
            time.sleep(0.02)
            left = [pid for pid in left if _lives(pid)]
        for pid in left:
            _tell(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    """False for one that has ended and only waits to be collected, which in a container may be never."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123  pathlib alone would double the size of this process
            return stat.read().rpartition(b") ")[2][:1] != b"Z"
    except OSError:  # gone, or a system without /proc
        return _tell(pid, 0)


def _tell(pid: int, what: int) -> bool:
    """True when the process was there to be told."""
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # it goes last, whatever the terminal or the system tells everybody
    end(follow(sys.stdin), float(sys.argv[1]))
