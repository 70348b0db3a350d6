"""Who visits the pages, by the cookies of their browser, and which of them they may open. Cookies are given in `entrance.py`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response

from bot.store.sessions import Role, Sessions, Visitor

PUBLIC = ("/enter", "/login", "/healthz", "/static/", "/_nicegui/", "/favicon.ico")
"""What everybody may read: the way in, and styles and scripts that hold nothing of anybody."""

OPERATOR = "/operator"
START = f"{OPERATOR}/start"
SERVER = "/server"

ROLES: tuple[tuple[str, frozenset[Role]], ...] = (
    (OPERATOR, frozenset({"operator"})),
    (SERVER, frozenset({"admin"})),
    ("/_nicegui_ws", frozenset({"guest", "admin", "operator"})),  # what is said on it is checked by the page that hears it
    ("/leave", frozenset({"guest", "admin", "operator"})),
    ("/", frozenset({"guest", "operator"})),
)
"""Who may open what lies at and below a path, the first that fits; the last is the room, its files, and all that there is not."""


def may(roles: Collection[Role], path: str) -> bool:
    """Whether one of these is enough."""
    needed = next(those for head, those in ROLES if path == head or path.startswith(f"{head.rstrip('/')}/"))
    return not needed.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Cookies:
    """Their names. Cookies know no ports, so two Hobnobs on one machine need two; an admin of a server may be a guest of the room too."""

    port: int

    def of(self, role: Role) -> str:
        """The name of the cookie that holds a session of this role."""
        return f"hobnob_{self.port}_server" if role == "admin" else f"hobnob_{self.port}"

    @property
    def all(self) -> tuple[str, str]:
        """Both."""
        return self.of("guest"), self.of("admin")


class Visitors:
    """Looks up sessions."""

    def __init__(self, sessions: Sessions, cookies: Cookies) -> None:
        self.sessions = sessions
        self.cookies = cookies

    def secret(self, connection: HTTPConnection, role: Role) -> str:
        """What the browser sent of a session of this role."""
        return connection.cookies.get(self.cookies.of(role), "")

    async def known(self, connection: HTTPConnection) -> dict[str, Visitor]:
        """The sessions of a browser that last, by the names of their cookies. Raises StoreError."""
        given = {name: connection.cookies.get(name, "") for name in self.cookies.all}
        found = {name: await self.sessions.visitor(secret) for name, secret in given.items() if secret}
        return {name: visitor for name, visitor in found.items() if visitor is not None and _fits(self.cookies, name, visitor)}

    def remember(self, response: Response, visitor: Visitor, secret: str, scheme: str) -> None:
        """Has the browser keep the session, from now on as long as the store does."""
        name, lasts = self.cookies.of(visitor.role), max(1, visitor.lasts())
        response.set_cookie(name, secret, max_age=lasts, httponly=True, samesite="lax", secure=scheme == "https")

    def forget(self, response: Response) -> None:
        """Has the browser drop all of them."""
        for name in self.cookies.all:
            response.delete_cookie(name, httponly=True, samesite="lax")


def _fits(cookies: Cookies, name: str, visitor: Visitor) -> bool:
    """A session in the wrong cookie is nobody's."""
    return cookies.of(visitor.role) == name
