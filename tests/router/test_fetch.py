"""HTTP for plugins: public addresses only, bounded in time and size."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bot.errors import UserError
from bot.router.fetch import MOST_REDIRECTS, fetch, public


@dataclass
class Site:
    """A small HTTP server; `pages` has the answers by path, `seen` the requests as they came."""

    port: int = 0
    pages: dict[str, bytes] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.seen.append(request)
        writer.write(self.pages.get(request.split()[1], b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"))
        await writer.drain()
        writer.close()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


def page(text: str, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(text)}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


async def get(url: str, limit: int = 1000, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    found = await fetch("GET", url, headers or {}, b"", limit, allowed=lambda address: address.is_loopback)
    return found.status, found.body


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::",
    ],
)  # fmt: skip
def test_an_address_inside_somebodys_house_is_not_public(address: str) -> None:
    assert not public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
async def test_nothing_on_this_machine_can_be_reached(site: Site, host: str) -> None:
    site.pages["/"] = page("secret")
    with pytest.raises(UserError):
        await fetch("GET", site.url("/", host), {}, b"", 1000)
    assert site.seen == []


async def test_a_redirect_cannot_lead_to_where_one_may_not_go(site: Site) -> None:
    site.pages["/"] = page("", "302 Found", location="http://169.254.169.254/latest/meta-data")
    with pytest.raises(UserError, match=r"169\.254\.169\.254 is not a public address"):
        await get(site.url("/"))


async def test_a_name_is_asked_for_once_and_gains_nothing_by_another_answer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["127.0.0.1"])

    async def resolved(host: str, port: int, **more: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved)
    site.pages["/"] = page("here")
    assert await get(site.url("/", "turns.example")) == (200, b"here")
    assert f"host: turns.example:{site.port}" in site.seen[0].lower()


async def test_a_page_comes_back_with_its_status_and_type(site: Site) -> None:
    site.pages["/"] = page("hello", **{"content-type": "text/plain"})
    found = await fetch("GET", site.url("/"), {"x-a": "b"}, b"", 1000, allowed=lambda _: True)
    assert (found.status, found.mime, found.body) == (200, "text/plain", b"hello")
    assert f"host: 127.0.0.1:{site.port}" in site.seen[0].lower()
    assert "x-a: b" in site.seen[0]


async def test_a_body_is_cut_at_the_limit(site: Site) -> None:
    site.pages["/"] = page("x" * 100_000)
    assert await get(site.url("/"), limit=10) == (200, b"x" * 10)


async def test_a_key_is_not_shown_to_the_host_that_a_redirect_names(site: Site) -> None:
    site.pages["/"] = page("", "302 Found", location=site.url("/next", "localhost"))
    site.pages["/next"] = page("there")
    assert await get(site.url("/"), headers={"authorization": "Bearer key"}) == (200, b"there")
    assert "Bearer key" in site.seen[0]
    assert "Bearer key" not in site.seen[1]


@pytest.mark.parametrize(("status", "method"), [("302 Found", "GET"), ("303 See Other", "GET"), ("307 Temporary Redirect", "POST")])
async def test_what_is_posted_stays_with_the_origin_it_was_meant_for(site: Site, status: str, method: str) -> None:
    site.pages["/"] = page("", status, location=site.url("/next", "localhost"))
    await fetch("POST", site.url("/"), {}, b"api_key=secret", 100, allowed=lambda _: True)
    assert "content-length: 14" in site.seen[0].lower()
    assert site.seen[1].startswith(f"{method} /next")
    assert "content-length: 14" not in site.seen[1].lower()


async def test_redirects_end(site: Site) -> None:
    site.pages["/"] = page("", "302 Found", location="/")
    with pytest.raises(UserError, match="without end"):
        await get(site.url("/"))
    assert len(site.seen) == MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/x",
        "nonsense",
        "",
        "http://",
        "http://[",
        "http://a\nb/",
        "http://a..b/",
        "http://.example.com/",
        f"http://{'a' * 64}/",
    ],
)
async def test_what_is_no_address_is_a_sentence(url: str) -> None:
    with pytest.raises(UserError):
        await fetch("GET", url, {}, b"", 1000)


async def test_who_hangs_up_is_named(site: Site) -> None:
    site.pages["/"] = b""
    with pytest.raises(UserError, match=r"127\.0\.0\.1 did not answer"):
        await get(site.url("/"))
