"""What open dashboards cost the router and messages, and how soon a page is there. Fifty sockets say and hear what browsers do.

A router with rooms, pages and the plugins that come along answers `/about` in a room, ten times a second, with and without dashboards in
turns; a Chromium measures first paints, where there is one.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import cycle, groupby, islice
from pathlib import Path

import httpx
import psutil
import socketio
from playwright.async_api import async_playwright

from bot.messages import Text
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.places import Draft, Place, newcomer
from bot.store.roomfeed import Change
from bot.store.rooms import Rooms
from bot.store.sessions import OPERATOR, Sessions
from tests.bench.figures import Figure
from tests.bench.rivals import server
from tests.browser.conftest import CHROMIUM, FLAGS, House
from tests.ports import free_port

PAGES = ("/operator", "/operator/queue", "/operator/models", "/operator/logs", "/operator/traces")
OPEN = 50
ROUNDS, SECONDS = 5, 5.0
TURNS = (False, True, True, False)
"""Whether dashboards are open, round by round: neither kind always comes first."""

PAUSE = 0.1
PAINTS = 5


def measure() -> dict[str, Figure]:
    with server() as (_, url), tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(url, Path(folder)))


async def _measure(url: str, folder: Path) -> dict[str, Figure]:
    house = House(url, folder, free_port(), program="whole.py", log=subprocess.DEVNULL)
    house.start()
    redis = connect(url)
    try:
        await house.up()
        sessions = Sessions(redis, Keys(house.prefix))
        talk = Talk(Rooms(redis, Keys(house.prefix), folder / "files"))
        alone, watched = Run(), Run()
        await talk.some(2.0, Run())  # what is done once at the start is no part of it
        for watching, rounds in groupby(islice(cycle(TURNS), 2 * ROUNDS)):
            async with dashboards(house, sessions) if watching else nullcontext():
                for _ in rounds:
                    await _round(house, talk, watched if watching else alone)
        figures = _told(alone, watched)
        return figures | (await _paints(house, sessions) if CHROMIUM else {})
    finally:
        assert house.process is not None
        house.process.terminate()
        house.process.wait(10)
        await redis.aclose()


@dataclass
class Run:
    """What rounds of one kind took: of a core, in each; and each answer, in milliseconds."""

    cores: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)


async def _round(house: House, talk: Talk, run: Run) -> None:
    assert house.process is not None
    process = psutil.Process(house.process.pid)
    before, began = process.cpu_times(), time.perf_counter()
    await talk.some(SECONDS, run)
    after, took = process.cpu_times(), time.perf_counter() - began
    run.cores.append((after.user + after.system - before.user - before.system) / took * 100)


class Talk:
    """Somebody who asks again and again, and looks how soon the answer stands there."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._place = Place("lounge")
        self._asker = newcomer("Ann")

    async def some(self, seconds: float, run: Run) -> None:
        ends = time.perf_counter() + seconds
        async with aclosing(self._rooms.watch(self._place)) as changes:
            await anext(changes)
            while time.perf_counter() < ends:
                began = time.perf_counter()
                asked = await self._rooms.say(self._place, Draft(self._asker, (Text(text="/about"),)))
                async with asyncio.timeout(30):
                    while not any(_answers(change, asked) for change in await anext(changes)):
                        pass
                run.answers.append((time.perf_counter() - began) * 1000)
                await asyncio.sleep(PAUSE)


def _answers(change: Change, asked: str) -> bool:
    head = getattr(change, "head", None)
    return head is not None and head.author.bot and int(change.id) > int(asked)


@asynccontextmanager
async def dashboards(house: House, sessions: Sessions) -> AsyncIterator[None]:
    """That many open pages, each of which has been shown something."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(httpx.AsyncClient(base_url=house.url, timeout=30))
        await browser.get(await sessions.link(house.url, OPERATOR))
        async with asyncio.TaskGroup() as opening:
            for n in range(OPEN):
                opening.create_task(stack.enter_async_context(dashboard(house, browser, PAGES[n % len(PAGES)])))
        yield


@asynccontextmanager
async def dashboard(house: House, browser: httpx.AsyncClient, path: str) -> AsyncIterator[None]:
    """An open page without its picture: it loads, shakes hands, says hello, and takes what comes."""
    page = (await browser.get(path)).text
    query = ast.literal_eval(_one(r"query: (\{.*?\}),\n", page))
    element, listener = _hello(page)
    client, seen = socketio.AsyncClient(), asyncio.Event()
    client.on("run_javascript", lambda *_: seen.set())
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items()), "Origin": house.url}
    ids = {"document_id": f"document-{query['client_id']}", "tab_id": f"tab-{query['client_id']}", "old_tab_id": ""}
    words = "&".join(f"{name}={value}" for name, value in {**query, **ids}.items())
    await client.connect(f"{house.url}?{words}", headers, transports=["websocket"], socketio_path="/_nicegui_ws/socket.io")
    await client.call("handshake", {**query, **ids})
    event = {"id": element, "client_id": query["client_id"], "listener_id": listener, "args": ["{}"]}
    await client.emit("event", event)
    async with asyncio.timeout(30):
        await seen.wait()
    try:
        yield
    finally:
        await client.disconnect()


def _one(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    assert found is not None, pattern
    return found[1]


def _hello(page: str) -> tuple[int, str]:
    """The element that is the page, and what hears its hello."""
    elements = json.loads(
        _one(r"String\.raw`(.*?)`", page)
        .replace("&#36;", "$")
        .replace("&#96;", "`")
        .replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&amp;", "&")
    )
    for id, element in elements.items():
        for event in element.get("events") or []:
            if event["type"] == "hello":
                return int(id), event["listener_id"]
    raise AssertionError("no element hears a hello")


def _told(alone: Run, watched: Run) -> dict[str, Figure]:
    costs = [with_them - without for without, with_them in zip(alone.cores, watched.cores, strict=True)]
    return {
        f"{OPEN} open dashboards": Figure.of(costs, "% of a core", 5.0, "lower"),
        "answers alone, median": Figure.of([statistics.median(alone.answers)], "ms"),
        "answers beside them, median": Figure.of([statistics.median(watched.answers)], "ms"),
        "answers alone, p99": Figure.of([_p99(alone.answers)], "ms"),
        "answers beside them, p99": Figure.of([_p99(watched.answers)], "ms"),
    }


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


async def _paints(house: House, sessions: Sessions) -> dict[str, Figure]:
    """Seconds until something is painted, and until the page shows what it is for; each page once before, so that the browser knows it."""
    figures = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context()
        await context.request.get(await sessions.link(house.url, OPERATOR))
        for path in ("/", *PAGES, "/operator/plugins", "/operator/servers", "/operator/backups"):
            painted, shown = [], []
            for _ in range(PAINTS + 1):
                page = await context.new_page()
                began = time.perf_counter()
                await page.goto(f"{house.url}{path}", wait_until="commit")
                await page.locator("dialog[open], .sheet").first.wait_for()  # a room begins with a name
                shown.append(time.perf_counter() - began)
                painted.append(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime / 1000"))
                await page.close()
            figures[f"{path}: first paint"] = Figure.of(painted[1:], "s", 1.0, "lower")
            figures[f"{path}: content"] = Figure.of(shown[1:], "s")
        await browser.close()
    return figures
