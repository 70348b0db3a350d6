"""Takes apart the address of a Redis behind Sentinels. Connecting: `connection.py`, and the warden's program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SCHEME = "redis+sentinel"
FORM = f"{SCHEME}://HOST:PORT,HOST:PORT/SERVICE/NUMBER"
OPTIONS = ("sentinel_username", "sentinel_password")

PORT = 26379
"""Where Sentinels listen unless told otherwise."""

ASK_SECONDS = 1.0
"""For a Sentinel to connect and to answer; then the next is asked, and all of them while a lease lasts."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A service and its Sentinels; `asking` is how these are spoken to, `speaking` how its servers are, in the words of the client."""

    service: str
    sentinels: list[tuple[str, int]]
    asking: dict[str, Any]
    speaking: dict[str, Any]


def watched(url: str) -> Watched | None:
    """What `url` says of Sentinels; None when it is a server's. Raises ValueError when it lacks a part."""
    parts = urlsplit(url)
    if parts.scheme != SCHEME:
        return None
    path = re.fullmatch(r"/([\w.-]+)(?:/(\d*))?", parts.path)
    if path is None:
        raise ValueError(f"expected {FORM}")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Watched(
        service=path[1],
        sentinels=[_place(host) for host in parts.netloc.rpartition("@")[2].split(",")],
        asking={
            **_who(options.get("sentinel_username"), options.get("sentinel_password")),
            **{"socket_timeout": ASK_SECONDS, "socket_connect_timeout": ASK_SECONDS},
            "retry": None,  # the next one is asked instead
        },
        speaking={**_who(unquote(parts.username or ""), unquote(parts.password or "")), "db": int(path[2] or 0)},
    )


def _place(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname or parts.port == 0:
        raise ValueError(f"expected {FORM}")
    return parts.hostname, parts.port or PORT


def _who(user: str | None, password: str | None) -> dict[str, str]:
    return {name: value for name, value in (("username", user), ("password", password)) if value}
