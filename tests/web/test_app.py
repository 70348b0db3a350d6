"""Where the pages are served, and what is said when they cannot be."""

from __future__ import annotations

import asyncio
import socket
import time
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from bot.config import Config
from bot.errors import ConfigError
from bot.testing import wait_until
from bot.web.app import Server, _sweep
from bot.web.binding import bind, url


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


async def test_a_server_ends_when_it_is_told_and_not_at_its_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.app.TICK", 3600.0)
    ready = asyncio.Event()
    server = Server(uvicorn.Config(Starlette(), log_config=None), ready)
    with bind(at("127.0.0.1", 0)) as bound:
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        await asyncio.wait_for(ready.wait(), 10.0)
        async with httpx.AsyncClient() as client:
            answer = await client.get(url(bound))
        server.end()
        await asyncio.wait_for(serving, 10.0)
    assert parsedate_to_datetime(answer.headers["date"]).timestamp() == pytest.approx(time.time(), abs=60.0)


async def test_a_round_of_sweeping_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[str] = []

    class Uploads:
        def sweep(self) -> None:
            rounds.append("swept")
            if len(rounds) == 1:
                raise PermissionError("no")

    monkeypatch.setattr("bot.web.app.SWEEP_SECONDS", 0.0)
    sweeping = asyncio.create_task(_sweep(SimpleNamespace(uploads=Uploads())))  # type: ignore[arg-type]  # of the rooms it needs no more
    await wait_until(lambda: len(rounds) > 1)
    sweeping.cancel()
    await asyncio.wait([sweeping])
