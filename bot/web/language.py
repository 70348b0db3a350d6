"""In which language a page is, and what its scripts say in it. Catalogues: `bot/locales.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from copy import copy
from functools import cache
from importlib.resources import files

from nicegui import ui
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.locales import Locales
from bot.translation import reader, reading, translated

SAID = re.compile(r"""\btr\((?:"([^"\\]+)"|'([^'\\]+)'|(?P<wrong>))""")
"""What a script says; `wrong` where it is no literal, because catalogues are made of them."""

COOKIE = "hobnob-language"
"""In which a browser keeps the language that its person has chosen; a page's script writes it (`static/texts.js`)."""

FRAMEWORK = {"en": "en-US", "zh-Hans": "zh-CN"}
"""What the page library calls our languages."""


class Reading:
    """Sets the reader of whatever answers a request: what its person has chosen, else what the browser asks for, else `default`."""

    def __init__(self, app: ASGIApp, locales: Locales, default: str) -> None:
        self._app = app
        self._locales = locales
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes it on."""
        headers = Headers(scope=scope) if "headers" in scope else Headers()
        chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        known = self._locales.known(chosen) or self._locales.known(headers.get("accept-language", ""))
        with reader(self._locales.of(known or self._default)):
            await self._app(scope, receive, send)


def chosen(connection: HTTPConnection) -> str:
    """What its person has chosen, as the browser says it; "" where they have not."""
    return connection.cookies.get(COOKIE, "")


@cache
def offered() -> Sequence[tuple[str, str]]:
    """The languages of the pages, with what those who speak them call them."""
    locales = Locales()
    return tuple((tag, locales.name(tag)) for tag in locales.tags)


@cache
def scripts() -> Sequence[str]:
    """What the pages' scripts say by `tr`. Raises ValueError where a text is no literal without backslashes."""
    found = sorted((one for one in files("bot.web").joinpath("static").iterdir() if one.name.endswith(".js")), key=lambda one: one.name)
    return tuple(dict.fromkeys(text for one in found for text in said(one.name, one.read_text(encoding="utf-8"))))


def said(name: str, script: str) -> list[str]:
    """The same of one."""
    calls = list(SAID.finditer(script))
    if any(call["wrong"] is not None for call in calls):
        raise ValueError(f"{name}: expected literals in tr(…), because catalogues are made of them")
    return [call[1] or call[2] for call in calls]


def spoken() -> None:
    """Has the page that is being made, scripts too, speak to its reader."""
    tag, client = reading().tag, ui.context.client
    client.page = copy(client.page)
    client.page.language = FRAMEWORK.get(tag, tag)  # type: ignore[assignment]  # the library lists its own
    texts = {text: here for text in scripts() if (here := translated(text)) != text}
    _brought("texts", texts)
    _brought("languages", {"here": tag, "all": offered()})


def _brought(name: str, what: object) -> None:
    """Data that the page's scripts find under this name."""
    content = json.dumps(what, ensure_ascii=False).replace("<", "\\u003c")
    ui.add_head_html(f'<script type="application/json" id="{name}">{content}</script>')
