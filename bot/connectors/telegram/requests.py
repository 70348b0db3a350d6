"""HTTP under python-telegram-bot, by aiohttp, whose calls cost less than those of the library's own client. What is called: the others."""

from __future__ import annotations

from typing import Any

import aiohttp
import httpx
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

UPLOAD = 1200.0
"""Seconds that a call with files may take, which go at somebody's own speed."""


class Requests(BaseRequest):
    """Calls over at most `most` connections. `timeout` in seconds is for connecting and for each wait for an answer."""

    def __init__(self, timeout: float, proxy: str | None = None, most: int = 256) -> None:
        self._timeout = timeout
        self._proxy = proxy
        self._most = most
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds, where a call does not say."""
        return self._timeout

    async def initialize(self) -> None:
        """Opens what calls need; once it is open, nothing."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._most, ssl=httpx.create_ssl_context())  # trusts whom all our other calls trust
            self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": self.USER_AGENT})

    async def shutdown(self) -> None:
        """Ends all connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = None,
        connect_timeout: Any = None,
        pool_timeout: Any = None,
    ) -> tuple[int, bytes]:
        """The status and the body of the answer; of the times only `read_timeout` counts. Raises NetworkError."""
        if self._session is None:
            await self.initialize()
        assert self._session is not None
        seconds = read_timeout if isinstance(read_timeout, float | int) else self._timeout
        total = UPLOAD if request_data and request_data.contains_files else None
        timeout = aiohttp.ClientTimeout(total, sock_connect=self._timeout, sock_read=seconds)
        form = _form(request_data) if request_data else None
        try:
            async with self._session.request(method, URL(url, encoded=True), data=form, timeout=timeout, proxy=self._proxy) as answer:
                return answer.status, await answer.read()
        except TimeoutError as error:
            raise TimedOut from error
        except aiohttp.ClientHttpProxyError as error:  # its own words name the proxy with its password
            raise NetworkError(f"the proxy refuses: {error.status} {error.message}") from None
        except aiohttp.ClientError as error:
            raise NetworkError(f"{type(error).__name__}: {error}") from error


def _form(data: RequestData) -> aiohttp.FormData | dict[str, str]:
    """Words alone, or with files beside them."""
    words = data.json_parameters
    if not data.contains_files:
        return words
    form = aiohttp.FormData(words, quote_fields=False)  # as names of files are best understood
    for name, (file, content, mime) in data.multipart_data.items():
        form.add_field(name, content, filename=file, content_type=mime)
    return form
