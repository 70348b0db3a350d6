"""A room in a process of its own, and a real browser that looks at it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Request, ViewportSize, async_playwright

from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.sessions import Sessions
from bot.testing import wait_until

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@dataclass
class House:
    """A running room; `log` is where its process writes its own, None for where ours does."""

    redis_url: str
    data: Path
    port: int
    prefix: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:12]}")
    process: subprocess.Popen[bytes] | None = None
    program: str = "echo.py"
    log: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        args = [sys.executable, str(Path(__file__).with_name(self.program)), self.redis_url, self.prefix, str(self.data), str(self.port)]
        self.process = subprocess.Popen(args, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=self.log)

    async def up(self) -> None:
        async with httpx.AsyncClient() as client:

            async def answers() -> bool:
                try:
                    return (await client.get(f"{self.url}/healthz")).status_code == 200
                except httpx.HTTPError:
                    return False

            await wait_until(answers, 60)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def halt(self) -> None:
        """It hears nothing and says nothing until `go_on`; what is sent to it meanwhile waits."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    async def invite(self) -> str:
        redis = connect(self.redis_url)
        token = await Sessions(redis, Keys(self.prefix)).invite()
        await redis.aclose()
        return f"{self.url}/enter?token={token}"


@pytest.fixture(scope="session")
def house(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    house = House(redis_url, tmp_path_factory.mktemp("house"), port)
    house.start()
    yield house
    assert house.process is not None
    house.process.terminate()
    assert house.process.wait(10) == 0
    asyncio.run(clear(house))


async def clear(house: House) -> None:
    """Leaves nothing of it, and no key that would have stayed for ever."""
    redis = connect(house.redis_url)
    keys = [key async for key in redis.scan_iter(f"{house.prefix}:*")]
    forever = [key for key in keys if await redis.ttl(key) == -1]
    if keys:
        await redis.delete(*keys)
    await redis.aclose()
    assert not forever, f"keys left behind without a lifetime: {forever}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@dataclass
class Tab:
    """A page somebody has open, and what happened on it that should not have."""

    page: Page
    faults: list[str]
    requests: list[str]

    def elsewhere(self) -> list[str]:
        """What it asked of anybody but the server it came from, files and sockets alike."""
        home = urlsplit(self.page.url).netloc
        return [url for url in self.requests if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != home]

    async def say(self, text: str) -> None:
        """Writes and presses Enter; returns when the room has it."""
        await self.page.bring_to_front()  # a tab behind another draws once a second, and is waited for as long
        await self.page.fill("#composer", text)
        await self.page.press("#composer", "Enter")
        await self.page.wait_for_function("document.querySelector('#composer')?.value === ''")

    async def sees(self, text: str) -> None:
        """Returns as soon as a message with these words stands on the page."""
        await self.page.locator(".message .words", has_text=text).last.wait_for(timeout=8000)

    async def go(self, where: str) -> None:
        await self.page.bring_to_front()
        await self.page.locator(".tabs button", has_text=where).click()


@dataclass
class Visitors:
    """Opens tabs; most of them in one browser that was let in, where each tab is somebody else."""

    house: House
    browser: Browser
    shared: BrowserContext | None = None
    contexts: list[BrowserContext] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    async def context(self, phone: bool = False, locale: str = "en-US") -> BrowserContext:
        """A browser of its own that was let in."""
        size = ViewportSize(width=390, height=780) if phone else ViewportSize(width=1280, height=800)
        context = await self.browser.new_context(viewport=size, is_mobile=phone, has_touch=phone, permissions=["microphone"], locale=locale)
        self.contexts.append(context)
        await context.request.get(await self.house.invite())
        return context

    async def tab(self, name: str, context: BrowserContext | None = None) -> Tab:
        """A tab in which somebody has picked a name."""
        if context is None:
            context = self.shared = self.shared or await self.context()
        page = await context.new_page()
        self.pages.append(page)
        tab = watched(page)
        await page.goto(self.house.url)
        await page.fill("dialog[open] input", name)
        await page.click("dialog .go")
        await page.locator("dialog").wait_for(state="hidden")
        await page.locator(".list :is(.message, .nothing)").first.wait_for()
        return tab


def watched(page: Page) -> Tab:
    """The page, with everything noted that it asks for and complains about."""
    tab = Tab(page, [], [])

    def asked(request: Request) -> None:
        tab.requests.append(request.url)

    page.on("request", asked)
    page.on("websocket", lambda socket: tab.requests.append(socket.url))
    page.on("pageerror", lambda error: tab.faults.append(str(error)))
    page.on("console", lambda message: tab.faults.append(message.text) if message.type == "error" else None)
    return tab


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def everybody(house: House, chromium: Browser) -> AsyncIterator[Visitors]:
    everybody = Visitors(house, chromium)
    yield everybody
    for context in everybody.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(everybody: Visitors) -> AsyncIterator[Visitors]:
    await everybody.house.up()
    yield everybody
    everybody.house.go_on()
    for page in everybody.pages:
        await page.close()
    everybody.pages.clear()
