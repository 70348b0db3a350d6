"""What browsers are given, without one: our scripts, and the language of whoever asks."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from bot.locales import Locales
from bot.translation import reading
from bot.web.language import COOKIE, Reading
from bot.web.served import Served, address, imported


def asking(app: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here.test")  # type: ignore[arg-type]


async def test_a_file_is_kept_for_good_where_its_address_names_its_content() -> None:
    async with asking(Starlette(routes=[Mount("/static", Served(Path(str(files("bot.web").joinpath("static")))))])) as browser:
        for path, kept in ((address("room.js"), "public, max-age=31536000, immutable"), ("/static/room.js", "no-cache")):
            answer = await browser.get(path)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, kept)
        assert (await browser.get("/static/0123456789ab/room.js")).status_code == 404, "of another release"


def test_all_that_a_page_needs_is_known_ahead() -> None:
    found = imported("room.js")
    assert {"composer.js", "side.js", "rooms.js", "texts.js"} <= set(found)  # the third is needed by the second
    assert len(found) == len(set(found))
    assert all(files("bot.web").joinpath("static", name).is_file() for name in found)


@pytest.mark.parametrize(
    ("cookie", "header", "tag"),
    [("zh-Hans", "en", "zh-Hans"), ("", "zh-CN,en;q=0.5", "zh-Hans"), ("xx; drop", "en", "en"), ("", "", "en")],
)
async def test_what_somebody_has_chosen_goes_before_what_their_browser_asks_for(cookie: str, header: str, tag: str) -> None:
    async def told(request: Request) -> PlainTextResponse:
        return PlainTextResponse(reading().tag)

    headers = {"accept-language": header} | ({"cookie": f"other=1; {COOKIE}={cookie}"} if cookie else {})
    async with asking(Reading(Starlette(routes=[Route("/", told)]), Locales(), "")) as browser:
        assert (await browser.get("/", headers=headers)).text == tag
