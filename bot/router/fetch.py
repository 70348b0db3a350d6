"""HTTP out on behalf of plugins, which cannot reach private addresses. Remote models have their own client in the worker."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping

import httpx

from bot.context import Fetched
from bot.errors import UserError

SECONDS = 20.0
MOST_REDIRECTS = 5


async def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes, limit: int) -> Fetched:
    """The answer, its body cut at `limit` bytes. Raises UserError for an address that is not public or not there.

    The name is resolved once and that very address is connected to, so a name that resolves differently the second time gains nothing.
    """
    async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
        for _ in range(MOST_REDIRECTS):
            target = httpx.URL(url)
            request = client.build_request(method, await _pinned(target), headers=headers, content=body)
            request.headers["host"] = target.netloc.decode()
            request.extensions["sni_hostname"] = target.host
            try:
                response = await client.send(request, stream=True)
                if not response.has_redirect_location:
                    return Fetched(response.status_code, response.headers.get("content-type", ""), await _body(response, limit))
                await response.aclose()
            except httpx.HTTPError as error:
                raise UserError(f"{target.host} did not answer: {type(error).__name__}.") from error
            url = str(target.join(response.headers["location"]))
            method, body = ("GET", b"") if response.status_code == httpx.codes.SEE_OTHER else (method, body)
    raise UserError(f"{url} sends from one address to the next without end.")


async def _pinned(url: httpx.URL) -> httpx.URL:
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(f"Only http and https addresses can be fetched, not {str(url)[:80]!r}.")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UserError(f"There is no host called {url.host}.") from error
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    if not all(_public(address) for address in addresses):
        raise UserError(f"{url.host} is not a public address.")
    return url.copy_with(host=str(addresses[0]))


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return False
    return address.is_global and not address.is_multicast


async def _body(response: httpx.Response, limit: int) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) >= limit:
            break
    await response.aclose()
    return bytes(content[:limit])
