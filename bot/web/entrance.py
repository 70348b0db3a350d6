"""The way in: a link that works once becomes a session cookie. Who is let through without one is decided in `guard.py`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from bot.errors import StoreError
from bot.store.sessions import KEPT, Sessions
from bot.web.notices import AWAY, USED


def cookie_name(port: int) -> str:
    """Cookies know no ports, so two Hobnobs on one machine need two names."""
    return f"hobnob_{port}"


async def link(sessions: Sessions, address: str) -> str:
    """A link to the pages at this address that lets one browser in, once."""
    return f"{address}/enter?token={await sessions.invite()}"


def entrance(sessions: Sessions, cookie: str) -> APIRouter:
    """The routes `/enter` and `/healthz`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/enter")
    async def enter(request: Request, token: str = "") -> Response:
        if "prefetch" in request.headers.get("sec-purpose", ""):
            return Response(status_code=503)  # a browser that guesses ahead must not use the link up
        try:
            return await _entered(sessions, cookie, request, token)
        except StoreError:
            return AWAY

    @router.get("/healthz")
    async def healthz() -> Response:
        try:
            await sessions.valid("nobody")
        except StoreError as error:
            return JSONResponse({"status": "store away", "fault": str(error)}, 503)
        return JSONResponse({"status": "ok"})

    return router


async def _entered(sessions: Sessions, cookie: str, request: Request, token: str) -> Response:
    home = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
    if await sessions.valid(request.cookies.get(cookie, "")):
        return home  # the link stays good for another browser
    secret = await sessions.redeem(token)
    if secret is None:
        return USED
    remember(home, cookie, secret, request.url.scheme)
    return home


def remember(response: Response, cookie: str, secret: str, scheme: str) -> None:
    """Has the browser keep the session, from now on as long as the store does."""
    response.set_cookie(cookie, secret, max_age=KEPT, httponly=True, samesite="lax", secure=scheme == "https")
