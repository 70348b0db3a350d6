"""Where the pages are served, and what is said when they cannot be."""

from __future__ import annotations

import socket

import pytest

from bot.config import Config
from bot.errors import ConfigError
from bot.web.app import bind, url


def at(host: str, port: int) -> Config:
    return Config.model_validate({"web": {"host": host, "port": port}})


def test_a_port_in_use_is_a_fault_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"web.port {port}: another program listens there already.*choose another web.port"):
            bind(at("127.0.0.1", port))


def test_an_address_that_is_not_ours_is_a_fault_that_says_so() -> None:
    with pytest.raises(ConfigError, match=r"web.host 192.0.2.1, .*an address of this machine"):
        bind(at("192.0.2.1", 0))


ADDRESSES = [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")]


@pytest.mark.parametrize(("host", "shown"), ADDRESSES)
def test_the_address_printed_opens_on_this_machine(host: str, shown: str) -> None:
    try:
        bound = bind(at(host, 0))
    except ConfigError:
        pytest.skip(f"this machine has no {host}")
    with bound:
        assert url(bound) == f"{shown}{bound.getsockname()[1]}"
