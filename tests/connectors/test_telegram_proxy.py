"""A proxy that refuses is named without its password."""

from __future__ import annotations

import asyncio

import pytest
from telegram.error import NetworkError

from bot.connectors.telegram.requests import Requests


async def test_a_proxy_that_refuses_is_named_without_its_password() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        requests = Requests(5.0, f"http://ann:secret@127.0.0.1:{port}")
        with pytest.raises(NetworkError, match=r"^the proxy refuses: 407 Who are you$"):
            await requests.do_request("https://telegram.invalid/", "POST")
        await requests.shutdown()
