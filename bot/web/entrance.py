"""The way in and out: a link that works once, or the operator's password, becomes a session. Who is let through: `guard.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from bot.errors import StoreError
from bot.store.sessions import OPERATOR
from bot.web import visitors as paths
from bot.web.notices import away, no_password, password_form, too_often, used
from bot.web.passwords import Passwords
from bot.web.visitors import Visitors

PERIOD = 900
"""Seconds over which tries are counted."""

ENTERED, GUESSED = 60, 10
"""Links and passwords that one address may try in that time."""

GUESSED_BY_ALL = 200
"""Passwords that all addresses together may."""

LONGEST_FORM = 4096
"""Bytes."""


def entrance(visitors: Visitors, passwords: Passwords, home: Callable[[], Awaitable[str]]) -> APIRouter:
    """The routes `/enter`, `/login`, `/leave` and `/healthz`; `home` is where an operator goes who came by a link."""
    router, sessions = APIRouter(include_in_schema=False), visitors.sessions

    @router.get("/enter")
    async def enter(request: Request, token: str = "") -> Response:
        if "prefetch" in request.headers.get("sec-purpose", ""):
            return Response(status_code=503)  # a browser that guesses ahead must not use the link up
        try:
            if not await sessions.allowed("enter", _from(request), ENTERED, PERIOD):
                return too_often()
            return await _entered(visitors, request, token, home)
        except StoreError:
            return away()

    @router.get("/login")
    async def ask(request: Request) -> Response:
        try:
            return password_form() if await sessions.password() else no_password()
        except StoreError:
            return away()

    @router.post("/login")
    async def login(request: Request) -> Response:
        try:
            return await _logged_in(visitors, passwords, request)
        except StoreError:
            return away()

    @router.post("/leave")
    async def leave(request: Request) -> Response:
        response = RedirectResponse("/login", 303, {"Cache-Control": "no-store"})
        visitors.forget(response)
        try:
            for name in await visitors.known(request):
                await sessions.end(request.cookies[name])
        except StoreError:
            return away()
        return response

    @router.get("/healthz")
    async def healthz() -> Response:
        try:
            await sessions.visitor("nobody")
        except StoreError as error:
            return JSONResponse({"status": "store away", "fault": str(error)}, 503)
        return JSONResponse({"status": "ok"})

    return router


async def _entered(visitors: Visitors, request: Request, token: str, home: Callable[[], Awaitable[str]]) -> Response:
    """A browser that needs the link no more leaves it good for another."""
    invited, known = await visitors.sessions.invited(token), await visitors.known(request)
    roles = {one.role for one in known.values()}
    if (invited is None or invited.role == "guest") and not roles.isdisjoint({"guest", "operator"}):
        return _to("/")
    if invited is not None and invited.role == "operator" and "operator" in roles:
        return _to(await home())
    secret = await visitors.sessions.redeem(token, visitors.secret(request, invited.role) if invited else "")
    entered = await visitors.sessions.visitor(secret or "")
    if secret is None or entered is None:
        return used(server="admin" in roles)
    response = _to({"admin": paths.SERVER, "guest": "/"}.get(entered.role) or await home())
    visitors.remember(response, entered, secret, request.url.scheme)
    return response


async def _logged_in(visitors: Visitors, passwords: Passwords, request: Request) -> Response:
    sessions = visitors.sessions
    given = await _password(request)
    if not (
        await sessions.allowed("login", _from(request), GUESSED, PERIOD)
        and await sessions.allowed("login", "everybody", GUESSED_BY_ALL, PERIOD)
    ):
        return too_often()
    if not await passwords.right(given):
        return password_form(wrong=True)
    response = _to(paths.OPERATOR)
    visitors.remember(response, OPERATOR, await sessions.begin(OPERATOR), request.url.scheme)
    return response


async def _password(request: Request) -> str:
    """What the form says, "" where it is no such form."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_FORM:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]


def _from(request: Request) -> str:
    return request.client.host if request.client else ""


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})
