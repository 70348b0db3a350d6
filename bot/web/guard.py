"""Lets a request through or not: right host, same origin, a session that is good for it. How one gets a session is in `entrance.py`."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import StoreError
from bot.store.sessions import Visitor
from bot.translation import tr
from bot.web.notices import ask_for_a_link, away, not_yours, notice, server_closed
from bot.web.visitors import OPERATOR, PUBLIC, SERVER, Visitors, may

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # the page library compiles its templates in the browser
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}


class Guard:
    """Stands before everything else, websockets too. `names` are the host names that are ours beside loopback and plain addresses."""

    def __init__(self, app: ASGIApp, visitors: Visitors, names: Collection[str]) -> None:
        self._app = app
        self._visitors = visitors
        self._names = frozenset(name.lower() for name in names) | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes it on, or answers it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal, known = self._foreign(scope), dict[str, Visitor]()
        if refusal is None and not scope["path"].startswith(PUBLIC):
            refusal, known = await self._unknown(scope)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send, self._renewed(scope, known)))

    def _renewed(self, scope: Scope, known: dict[str, Visitor]) -> str:
        """The cookie again, with the page: a session lasts from its last use on, and the browser has to keep it as long."""
        name, path = self._visitors.cookies.of("guest"), scope["path"]
        if scope["type"] != "http" or name not in known or not (path == "/" or path.startswith(OPERATOR)):
            return ""
        kept = Response()
        self._visitors.remember(kept, known[name], HTTPConnection(scope).cookies[name], scope["scheme"])
        return kept.headers["set-cookie"]

    def _foreign(self, scope: Scope) -> Response | None:
        """Refuses names that somebody else's DNS may have pointed at us, and requests that another page makes."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._ours(host):
            return notice(
                403,
                tr("Unknown address"),
                tr("{host} is not a name of this Hobnob. Use the address it printed, or add it to web.names.", host=repr(host)),
            )
        acts = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        origin = headers.get("origin")
        elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate"
        if elsewhere or (origin is None and acts) or (origin is not None and urlsplit(origin).netloc != host):
            return notice(403, tr("Not from here"), tr("Another page made this request. Open Hobnob itself."))
        return None

    def _ours(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname or ""
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True  # a name can be pointed at us by anybody, an address cannot

    async def _unknown(self, scope: Scope) -> tuple[Response | None, dict[str, Visitor]]:
        """A refusal, or None and the sessions that last."""
        try:
            known = await self._visitors.known(HTTPConnection(scope))
        except StoreError:
            return away(), {}
        path = scope["path"]
        if may([one.role for one in known.values()], path):
            return None, known
        if path.startswith(SERVER):
            return server_closed(), {}
        return (not_yours() if known else ask_for_a_link()), {}


async def _refuse(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await refusal(scope, receive, _with_headers(send))


def _with_headers(send: Send, session: str = "") -> Send:
    async def passed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if session:
                headers.append("Set-Cookie", session)
            message = {**message, "headers": headers.raw}
        await send(message)

    return passed
