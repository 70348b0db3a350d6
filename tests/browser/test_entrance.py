"""Who is let in: links that work once, sessions, and requests that come from elsewhere."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.conftest import House, Visitors, watched

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_link_lets_one_browser_in_and_no_second(visitors: Visitors) -> None:
    link = await visitors.house.invite()
    first, second = await visitors.browser.new_context(), await visitors.browser.new_context()
    visitors.contexts += [first, second]
    page, late = await first.new_page(), await second.new_page()

    await page.goto(link)
    await page.locator("dialog[open]").wait_for()
    answer = await late.goto(link)

    assert page.url == f"{visitors.house.url}/"
    assert answer is not None
    assert answer.status == 403
    assert "This link was used" in await late.inner_text("h1")
    cookie = (await first.cookies())[0]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert "token" not in await page.evaluate("JSON.stringify([document.cookie, document.referrer, location.href])")


async def test_without_a_session_the_page_says_how_to_get_one(visitors: Visitors) -> None:
    context = await visitors.browser.new_context()
    visitors.contexts.append(context)
    tab = watched(await context.new_page())

    answer = await tab.page.goto(visitors.house.url)

    assert answer is not None
    assert answer.status == 401
    assert "Hobnob prints one in its terminal" in await tab.page.inner_text("main")


@pytest.mark.parametrize(
    ("path", "inside", "status", "title"),
    [
        ("/", False, 401, "You need a link"),
        ("/nowhere", False, 401, "You need a link"),
        ("/enter?token=used", False, 403, "This link was used"),
        ("/nowhere", True, 404, "There is no such page"),
    ],
)
async def test_a_page_that_only_says_something_loads_nothing_from_elsewhere(
    visitors: Visitors, path: str, inside: bool, status: int, title: str
) -> None:
    context = await visitors.context() if inside else await visitors.browser.new_context()
    visitors.contexts.append(context)
    tab = watched(await context.new_page())

    answer = await tab.page.goto(f"{visitors.house.url}{path}")

    assert answer is not None
    assert (answer.status, await tab.page.inner_text("h1")) == (status, title)
    assert await tab.page.locator("img").evaluate("image => image.naturalWidth > 0")
    assert tab.elsewhere() == []


async def test_a_page_recovers_by_itself_when_the_router_was_killed(visitors: Visitors) -> None:
    ann = await visitors.tab("Ann")
    await ann.go("Hobnob")
    await ann.say("before the crash")
    await ann.page.fill("#composer", "half a sent")

    await ann.page.evaluate("window.before = true")
    visitors.house.kill()
    visitors.house.start()
    await visitors.house.up()

    await ann.page.wait_for_function("!window.before && document.querySelector('.rename')?.innerText.includes('Ann')", timeout=20_000)
    await ann.sees("before the crash")
    assert await ann.page.locator(".tabs [aria-current]").inner_text() == "Hobnob", "private words stay private"
    assert await ann.page.input_value("#composer") == "half a sent"
    await ann.say("after the crash")
    await ann.sees("after the crash")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example:80"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "chat.example", "origin": "https://chat.example"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        ({}, 200),
    ],
)
async def test_only_requests_of_our_own_pages_are_served(house: House, headers: dict[str, str], status: int) -> None:
    await house.up()
    async with httpx.AsyncClient(base_url=house.url, follow_redirects=True) as client:
        await client.get(await house.invite())
        answer = await client.get("/", headers=headers)

    assert answer.status_code == status
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_every_load_of_the_page_has_the_browser_keep_the_session_anew(house: House) -> None:
    await house.up()
    async with httpx.AsyncClient(base_url=house.url) as client, httpx.AsyncClient(base_url=house.url) as stranger:
        entered = await client.get(await house.invite())
        page, script = await client.get("/"), await client.get("/static/base.css")
        strangers = await stranger.get("/")

    assert "Max-Age=2592000" in entered.headers["set-cookie"]
    assert page.headers["set-cookie"] == entered.headers["set-cookie"]
    assert "set-cookie" not in {*script.headers, *strangers.headers}


async def test_a_websocket_from_another_origin_or_without_a_session_is_refused(house: House) -> None:
    await house.up()
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==",
    }
    where = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    async with httpx.AsyncClient(base_url=house.url, follow_redirects=True) as client:
        stranger = await client.get(where, headers={**upgrade, "origin": house.url})
        await client.get(await house.invite())
        foreign = await client.get(where, headers={**upgrade, "origin": "http://evil.example"})
        silent = await client.get(where, headers=upgrade)

    assert [stranger.status_code, foreign.status_code, silent.status_code] == [403, 403, 403]


async def test_files_are_neither_taken_nor_given_without_a_session(house: House) -> None:
    await house.up()
    async with (
        httpx.AsyncClient(base_url=house.url) as stranger,
        httpx.AsyncClient(base_url=house.url, headers={"origin": house.url}) as ann,
    ):
        await ann.get(await house.invite())
        kept = (await ann.post("/files", params={"name": "../x.html"}, content=b"<script>alert(1)</script>")).json()
        given = await ann.get(f"/files/{kept['id']}/x.html")

        assert (await stranger.post("/files", content=b"x", headers={"origin": house.url})).status_code == 401
        assert (await stranger.get(f"/files/{kept['id']}/x.html")).status_code == 401

    assert (kept["name"], kept["mime"]) == ("_x.html", "text/plain")
    assert given.headers["content-type"] == "application/octet-stream"
    assert given.headers["content-disposition"].startswith("attachment")


async def test_a_file_that_is_too_large_or_empty_is_refused_with_a_sentence(house: House) -> None:
    await house.up()
    async with httpx.AsyncClient(base_url=house.url, headers={"origin": house.url}) as ann:
        await ann.get(await house.invite())
        large = await ann.post("/files", params={"name": "big.bin"}, content=bytes(26 * 1024 * 1024))
        empty = await ann.post("/files", params={"name": "nothing.txt"}, content=b"")

    assert (large.status_code, large.json()["fault"]) == (422, "big.bin is larger than 25 MB, the most that a file may have here.")
    assert (empty.status_code, empty.json()["fault"]) == (422, "nothing.txt is empty.")
    assert not list((house.data / "files").glob("*.part"))


async def test_health_is_told_without_a_session(house: House) -> None:
    await house.up()
    async with httpx.AsyncClient(base_url=house.url) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
