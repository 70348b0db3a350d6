"""One process at a time in a data directory: who it is, and how one becomes it. What it runs: `supervise.py`."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from bot.errors import ConfigError, StoreError

LOCK = "running.lock"
"""In the data directory: held by who runs there, with the process id in it."""


def holder(data_dir: Path) -> int | None:
    """The process that runs in this data directory, or None; 0 when it is just going."""
    try:
        with (data_dir / LOCK).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except BlockingIOError:
        text = (data_dir / LOCK).read_text().strip()
        return int(text) if text.isdigit() and _lives(int(text)) else 0


@contextmanager
def lock(data_dir: Path, patience: float = 15.0) -> Iterator[IO[str]]:
    """Makes this process the one that runs here. One that was killed a moment ago is waited for, `patience` seconds at most.

    Raises StoreError where another one runs, ConfigError for a folder that cannot be written.
    """
    with ExitStack() as stack:
        try:
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = stack.enter_context((data_dir / LOCK).open("a+"))
            _wait_for(file, data_dir, time.monotonic() + patience)
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())  # at once: a full disk that is found only on closing hides this fault
        except OSError as error:
            fault = f"{data_dir}: expected a data directory that can be written, found: {error.strerror}"
            raise ConfigError(f"{fault}. Free some space there, or set `data_dir` to another folder") from error
        yield file


def _wait_for(file: IO[str], data_dir: Path, deadline: float) -> None:
    while not _took(file):
        pid = holder(data_dir)
        if pid or time.monotonic() > deadline:
            who = f" (process {pid})" if pid else ""
            raise StoreError(f"Hobnob runs already in {data_dir}{who}: stop it, or set another `data_dir` and `web.port` for a second one")
        time.sleep(0.05)


def _took(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
