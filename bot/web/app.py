"""Serves the pages from the router's own event loop. What is on them is in `room.py`, who may see them in `guard.py`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from urllib.parse import urlsplit

import structlog
import uvicorn
from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui
from starlette.requests import Request
from starlette.responses import Response

from bot.config import Config
from bot.locales import Locales
from bot.store.places import LOBBY, Place
from bot.store.rooms import Rooms
from bot.web.binding import bind
from bot.web.entrance import entrance
from bot.web.files import files as file_routes
from bot.web.guard import Guard
from bot.web.language import Reading
from bot.web.notices import nowhere
from bot.web.pages import OPERATORS
from bot.web.pages.access import access_page
from bot.web.pages.backups import backups_page
from bot.web.pages.logs import logs_page
from bot.web.pages.models import models_page
from bot.web.pages.overview import overview_page
from bot.web.pages.plugins import plugins_page
from bot.web.pages.queue import queue_page
from bot.web.pages.server import Facts, server_page
from bot.web.pages.servers import House, servers_pages
from bot.web.pages.start import start_page
from bot.web.pages.traces import traces_page
from bot.web.passwords import Passwords
from bot.web.room import room_page
from bot.web.served import Served
from bot.web.site import Site
from bot.web.visitors import START, Cookies, Visitors

RECONNECT_SECONDS = 10.0
"""How long the server keeps a page whose connection was cut; a page that comes later loads itself anew."""

TICK = 1.0
"""Seconds between two times of day in answers, which have no smaller part."""

SWEEP_SECONDS = 6 * 3600.0
LAST_WORDS = 1
"""Seconds that open connections get when the router ends."""

log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """A server that leaves signals to the router, says when it is ready, and is told when to end."""

    def __init__(self, config: uvicorn.Config, ready: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The router has handlers of its own."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then tells."""
        await super().startup(sockets)
        self._ready.set()

    async def main_loop(self) -> None:
        """As the library's, which looks ten times a second whether it is to end: this only keeps the time of day in its answers."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), TICK)

    def end(self) -> None:
        """Answers what was asked, and takes nothing new."""
        self.should_exit = True
        self._ending.set()


async def serve(site: Site, *, bound: socket.socket | None = None, ready: asyncio.Event | None = None) -> None:
    """Serves until cancelled; `ready` is set as soon as pages load. `bound` is what `bind` gave, or it binds itself.

    One call per process: the page library keeps its pages in one place.
    """
    bound = bind(site.config) if bound is None else bound
    with as_file(files("bot.web").joinpath("static")) as static:
        app = _app(site, bound.getsockname()[1], static)
        server = Server(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=LAST_WORDS), ready or asyncio.Event()
        )
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        sweeping = asyncio.create_task(_sweep(site.rooms))
        try:
            await asyncio.shield(serving)
        finally:
            sweeping.cancel()
            server.end()
            await asyncio.wait([serving], timeout=LAST_WORDS + 2)


def _app(site: Site, port: int, static: Path) -> FastAPI:
    config, visitors, passwords = site.config, Visitors(site.sessions, Cookies(port)), Passwords(site.sessions)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(entrance(visitors, passwords, partial(_first_page, site)))
    app.include_router(file_routes(site.rooms.uploads))
    app.mount("/static", Served(static))
    app.add_middleware(Guard, visitors=visitors, names=_names(config))
    app.add_middleware(Reading, locales=Locales(), default=config.talking.language)
    pages.storage.path = config.data_dir / "web"  # nothing is kept there, but its default is the current folder
    pages.add_exception_handler(404, _nowhere)
    _pages(site, visitors, passwords)
    ui.run_with(
        app,
        title="Hobnob",
        favicon=static / "hobnob.svg",
        dark=None,
        language="en-US",
        reconnect_timeout=RECONNECT_SECONDS,
        tailwind=False,
        show_welcome_message=False,
    )
    return app


def _names(config: Config) -> set[str]:
    """Host names that are ours."""
    return {config.web.host, *config.web.names, *filter(None, [urlsplit(config.web.address or "").hostname])}


def _pages(site: Site, visitors: Visitors, passwords: Passwords) -> None:
    room_page(site.rooms, visitors, site.commands, site.language)
    works, office = site.works, site.office
    if works is None or office is None:
        return
    overview_page(works, visitors, OPERATORS)
    queue_page(works, visitors, OPERATORS)
    models_page(works, site.config, visitors, OPERATORS)
    plugins_page(site, works, visitors, OPERATORS)
    house = House(works.servers, works.applicants, works.rules, site.config.admission, office, works.tally)
    servers_pages(house, works.changes("applicant:", "house", "server:"), visitors, OPERATORS)
    logs_page(works.log, visitors, OPERATORS)
    traces_page(works, site.config.web.contents, visitors, OPERATORS)
    backups_page(site.config, visitors, OPERATORS)
    access_page(site.sessions, passwords, visitors, OPERATORS)
    if site.beginning is not None:
        start_page(site.beginning, works, visitors, OPERATORS)
    server_page(office, Facts(works.tally), visitors)


async def _first_page(site: Site) -> str:
    """Where an operator who came by a link is taken: where nobody has said anything yet, to the page for that."""
    new = site.beginning is not None and not await site.rooms.history(Place(LOBBY), most=1)
    return START if new else "/"


async def _nowhere(request: Request, fault: Exception) -> Response:
    """The page library's own page for this shows what went wrong inside."""
    return nowhere()


async def _sweep(rooms: Rooms) -> None:
    while True:
        try:
            await asyncio.to_thread(rooms.uploads.sweep)
        except OSError:  # of one round: the next one may find the disk well again
            log.exception("old files not swept")
        await asyncio.sleep(SWEEP_SECONDS)
