"""The operator's view of the log: what all processes wrote lately, and what they write now. What is kept of it: `bot/store/loglines.py`."""

from __future__ import annotations

from nicegui import ui
from starlette.requests import Request

from bot.store.loglines import LogLines, Written
from bot.web.desk import Link, desk
from bot.web.live import Tail
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

AT_ONCE = 1000
"""Lines that a page begins with, and that are added together at most; it filters them itself."""

PATIENCE = 10.0
"""Seconds after which it is asked anew for what nobody has written: shorter than the connection's patience."""


class LogsView(View, component="../static/logs.js"):
    """The log in the browser."""


def _shown(lines: list[Written]) -> list[list[str]]:
    return [[one.id, one.line] for one in lines]


def logs_page(lines: LogLines, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""

    async def newest() -> list[list[str]]:
        return _shown(await lines.newest(AT_ONCE))

    async def since(last: str) -> list[list[str]]:
        return _shown(await lines.since(last, AT_ONCE, PATIENCE))

    tail = Tail(newest, since)

    @ui.page(f"{OPERATOR}/logs")
    async def show(request: Request) -> None:
        desk(LogsView(), visitors, request, "operator", links).shows(tail)
