"""Takes apart the address of a Redis behind Sentinels. Connecting: `connection.py`, and the warden's program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PLAIN, SECURE = "redis+sentinel", "rediss+sentinel"
"""The second speaks TLS, to Sentinels and servers alike."""

FORM = f"{PLAIN}://HOST:PORT,HOST:PORT/SERVICE/NUMBER"
OPTIONS = ("sentinel_username", "sentinel_password")
TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
"""What may be said of certificates, of these and of a server without Sentinels."""

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
    if parts.scheme not in (PLAIN, SECURE):
        return None
    path = re.fullmatch(r"/([\w.-]+)(?:/(\d*))?", parts.path)
    if path is None:
        raise ValueError(f"expected {FORM}")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    secure = _secured(options) if parts.scheme == SECURE else {}
    return Watched(
        service=path[1],
        sentinels=[_place(host) for host in parts.netloc.rpartition("@")[2].split(",")],
        asking={
            **_who(options.get("sentinel_username"), options.get("sentinel_password")),
            **{"socket_timeout": ASK_SECONDS, "socket_connect_timeout": ASK_SECONDS},
            "retry": None,  # the next one is asked instead
            **secure,
        },
        speaking={**_who(unquote(parts.username or ""), unquote(parts.password or "")), "db": int(path[2] or 0), **secure},
    )


def _secured(options: Mapping[str, str]) -> dict[str, Any]:
    """TLS, in the words of the client."""
    said: dict[str, Any] = {name: options[name] for name in TLS if name in options}
    if "ssl_check_hostname" in said:
        said["ssl_check_hostname"] = said["ssl_check_hostname"].lower() not in ("0", "f", "false", "n", "no")  # as the client reads it
    return {"ssl": True, **said}


def _place(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname or parts.port == 0:
        raise ValueError(f"expected {FORM}")
    return parts.hostname, parts.port or PORT


def _who(user: str | None, password: str | None) -> dict[str, str]:
    return {name: value for name, value in (("username", user), ("password", password)) if value}
