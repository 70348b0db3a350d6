"""HTTP out on behalf of plugins, which cannot reach private addresses. Remote models have their own client in the worker."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from contextlib import aclosing

import httpx

from bot.acts import Fetched
from bot.errors import UserError
from bot.translation import tr

SECONDS = 20.0
"""Longest wait for a connection or for the next piece."""

LONGEST = 60.0
"""Seconds for all of it."""

MOST_REDIRECTS = 5

TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""NAT64 (RFC 6052): a gateway turns these into IPv4 addresses, private ones as well."""


Allowed = Callable[[ipaddress.IPv4Address | ipaddress.IPv6Address], bool]


def public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """True for what anybody on the internet could reach; an IPv6 address that stands for an IPv4 one is not."""
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo or address in TRANSLATED):
        return False
    return address.is_global and not address.is_multicast


async def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes, limit: int, *, allowed: Allowed = public) -> Fetched:
    """The answer, its body cut at `limit` bytes. Raises UserError for an address that is not public or not there.

    The name is resolved once and that very address is connected to, so a name that resolves differently the second time gains nothing.
    A redirect to another origin gets neither headers nor body, which may hold a key. `allowed` tells which addresses are public.
    """
    try:
        async with asyncio.timeout(LONGEST), httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            return await _follow(client, method, httpx.URL(url), headers, body, limit, allowed)
    except (httpx.InvalidURL, UnicodeError) as error:  # the latter for what no host or header may be called
        raise UserError(tr("“{url}” cannot be fetched: {fault}.", url=url[:80], fault=error)) from error
    except (httpx.HTTPError, TimeoutError) as error:
        raise UserError(tr("{host} did not answer: {fault}.", host=httpx.URL(url).host, fault=type(error).__name__)) from error


async def _follow(
    client: httpx.AsyncClient, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes, limit: int, allowed: Allowed
) -> Fetched:
    for _ in range(MOST_REDIRECTS + 1):
        request = client.build_request(method, await _pinned(url, allowed), headers=headers, content=body)
        request.headers["host"] = url.netloc.decode()
        request.extensions["sni_hostname"] = url.host
        response = await client.send(request, stream=True)
        async with aclosing(response):
            if not response.has_redirect_location:
                return Fetched(response.status_code, response.headers.get("content-type", ""), await _body(response, limit))
        target = url.join(response.headers["location"])
        if _origin(target) != _origin(url):
            headers, body = {}, b""
        if response.status_code == httpx.codes.SEE_OTHER or (method == "POST" and response.status_code in (301, 302)):  # as browsers do
            method, body = "GET", b""
        url = target
    raise UserError(tr("{url} sends from one address to the next without end.", url=url))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _pinned(url: httpx.URL, allowed: Allowed) -> httpx.URL:
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(tr("Only http and https addresses can be fetched, not “{url}”.", url=str(url)[:80]))
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UserError(tr("There is no host called {host}.", host=url.host)) from error
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    if not all(allowed(address) for address in addresses):
        raise UserError(tr("{host} is not a public address.", host=url.host))
    return url.copy_with(host=str(addresses[0]))


async def _body(response: httpx.Response, limit: int) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) >= limit:
            break
    return bytes(content[:limit])
