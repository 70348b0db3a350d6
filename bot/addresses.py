"""Addresses in the configuration: of the web, of sockets, of a Redis. A mistyped one is a fault that says what is expected."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, SecretStr

from bot.store import sentinel


def _address(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"expected {' or '.join(f'{scheme}://' for scheme in schemes)} and a host")
        return url.rstrip("/")

    return AfterValidator(check)


Web = Annotated[str, _address("https", "http")]
Socket = Annotated[str, _address("wss", "ws")]

_DB = ("db",)
_REDIS = {
    **{"redis": _DB, "rediss": _DB + sentinel.TLS, "unix": _DB},
    **{sentinel.PLAIN: sentinel.OPTIONS, sentinel.SECURE: sentinel.OPTIONS + sentinel.TLS},
}
"""What may stand behind the `?` of each kind of address; the client's other options would change what we rely on."""


def _server(parts: SplitResult) -> bool:
    if parts.scheme == "unix":
        return bool(parts.path)
    return bool(parts.hostname and parts.port != 0 and re.fullmatch(r"(/\d*)?", parts.path))


def _redis(url: SecretStr) -> SecretStr:
    expected = f"expected redis://HOST:PORT/NUMBER, rediss://… for TLS, {sentinel.FORM}, or unix:///PATH"
    try:
        parts = urlsplit(url.get_secret_value())
        there = sentinel.watched(url.get_secret_value()) or _server(parts)
    except ValueError as error:  # no port, or half an address
        raise ValueError(expected) from error
    if parts.scheme not in _REDIS or not there:
        raise ValueError(expected)
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _REDIS[parts.scheme]:
            raise ValueError(f"an address with {parts.scheme}:// has no option {name!r}; it may have {', '.join(_REDIS[parts.scheme])}")
        if name == "db" and not value.isdecimal():
            raise ValueError("expected a number behind db=")
    return url


RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
