"""Where tests let their servers listen."""

from __future__ import annotations

import socket


def free_port() -> int:
    """One of the loopback interface that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
