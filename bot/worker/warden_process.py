"""The warden's program: renews every few seconds what its worker holds. It imports no more than it needs, so that it starts at once.

Its standard input says what to do: first a line of settings, then a line with the arguments of the renewals whenever they
change, a list for each name under which the worker claims, and none of them once it holds nothing and ends. The end of the
input is the end of the worker, and of the warden.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

import redis

ANSWER_SECONDS = 5.0


def main() -> None:
    """Renews until the worker is gone, halted or past a job's timeout, and leaves none of the latter two alive."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the worker, which ends the warden when it is done
    lines = Lines(sys.stdin.fileno())
    settings = json.loads(lines.wait(None) or "null")
    renewals: list[list[Any]] = json.loads(lines.wait(None) or "null")
    if not settings or not renewals:
        return
    worker, renew = settings["worker"], client(settings["url"], settings["watched"]).register_script(settings["script"])
    looks = 0  # at a halted worker, in a row: one may be a moment's chance
    while True:
        looks = looks + 1 if halted(worker) else 0
        if looks > 1 or (not looks and renewed(renew, renewals)):
            os.kill(worker, signal.SIGKILL)
        if said := lines.newest(settings["pause"]):
            renewals = json.loads(said)
        if lines.ended:
            break
    if renewals and gone(worker):
        for arguments in renewals:
            arguments[2] = 0  # a lease that ends now, so that others need not wait for what nobody does any more
        renewed(renew, renewals)


def client(url: str, watched: dict[str, Any] | None) -> redis.Redis:
    """For the server at `url`, or for the primary of a service that Sentinels watch (`bot.store.sentinel.Watched`)."""
    if watched is None:
        return redis.Redis.from_url(url, socket_timeout=ANSWER_SECONDS)
    sentinel: Any = redis.Sentinel(watched["sentinels"], sentinel_kwargs=watched["asking"])  # type: ignore[no-untyped-call]  # left bare
    primary: redis.Redis = sentinel.master_for(watched["service"], socket_timeout=ANSWER_SECONDS, **watched["speaking"])
    return primary


def renewed(renew: Any, renewals: list[list[Any]]) -> bool:
    """True when a job has outlived its timeout. While Redis is away nobody can take the jobs over, either."""
    with contextlib.suppress(redis.RedisError, OSError):
        return sum(int(renew(args=arguments)) for arguments in renewals) > 0
    return False


class Lines:
    """Reads lines from a pipe, with a limit on the waiting."""

    def __init__(self, pipe: int) -> None:
        self.ended = False
        self._pipe = pipe
        self._read = b""

    def newest(self, seconds: float) -> str:
        """The last line that came within `seconds`, or ""."""
        newest, deadline = "", time.monotonic() + seconds
        while not self.ended and (left := deadline - time.monotonic()) > 0:
            newest = self.wait(left) or newest
        return newest

    def wait(self, seconds: float | None) -> str:
        """The next line; "" after `seconds` without any and at the end of the pipe."""
        while b"\n" not in self._read:
            if not select.select([self._pipe], [], [], seconds)[0]:
                return ""
            piece = os.read(self._pipe, 65_536)
            if not piece:
                self.ended = True
                return ""
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()


def halted(worker: int) -> bool:
    """True while the worker is stopped by a signal: its jobs are for others then. Only Linux says."""
    try:
        return Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def gone(worker: int) -> bool:
    """True when the worker has died; the pipe ends a moment before the system says so."""
    deadline = time.monotonic() + 1.0
    while os.getppid() == worker and time.monotonic() < deadline:
        time.sleep(0.01)
    return os.getppid() != worker


if __name__ == "__main__":
    main()
