"""Four people begin with an empty folder, by the clock: `python -m tests.journeys`, or `make journeys`.

A home operator with Discord and a graphics card, by the browser; a Telegram club that wants voice notes, by the terminal; a plugin's
author; an operator of 500 servers. The platforms are those of `tests/wire`, the card is a driver that says it is there: what is
measured is the way, not the card. Nobody waits for a download who gives `--models DIR`, a folder that has the starter models.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright
from rich.console import Console
from rich.table import Table

from bot.testing import wait_until
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.connectors.test_discord import Channel
from tests.wire.discord_server import TOKEN as DISCORD
from tests.wire.discord_server import Discord, serving
from tests.wire.telegram_chats import person
from tests.wire.telegram_server import TOKEN as TELEGRAM
from tests.wire.telegram_server import Telegram

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "config/bot.toml"
JFK = ROOT / "tests/data/audio/jfk.ogg"

PATIENCE = 1800.0
"""Seconds for any one step, a download among them."""

CARD = '#!/bin/sh\necho "NVIDIA GeForce RTX 4090, 24564"\n'


@dataclass
class Journey:
    """An empty folder with the configuration as it is shipped, and the steps that were taken there, with the seconds since the first."""

    name: str
    folder: Path
    environ: dict[str, str]
    steps: list[tuple[str, float]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.config = self.folder / "config/bot.toml"
        self.config.parent.mkdir(parents=True)
        shutil.copy(SHIPPED, self.config)
        self.environ = {**self.environ, "HOBNOB_DATA_DIR": str(self.folder / "data"), "HOBNOB_WEB__PORT": "0"}

    def done(self, what: str) -> None:
        """A step was taken just now."""
        self.steps.append((what, time.monotonic() - self.began))
        Console(soft_wrap=True).print(f"{self.name}: {what}", style="dim", markup=False)

    def hobnob(self, *words: str, said: str = "", where: Path | None = None) -> str:
        """A command to its end; what it printed."""
        command = [sys.executable, "-m", "bot.cli", *words]
        environ = {**self.environ, "HOBNOB_CONFIG": str(self.config), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=where or self.folder, env=environ, input=said, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"hobnob {words[0]}: {done.stdout}{done.stderr}"
        return done.stdout

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """`make run`, without what `make setup` does; gives the link."""
        command = [sys.executable, "-m", "bot.cli", "run", "--config", str(self.config), "--bring", "starter"]
        with (self.folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=log)
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
        assert "http" in line, (self.folder / "log").read_text()
        self.done("a link is printed")
        try:
            yield line[line.index("http") :].strip()
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 120)


async def home(journey: Journey) -> None:
    """Discord and a card, all by the browser."""
    program = journey.folder / "bin/nvidia-smi"
    program.parent.mkdir()
    program.write_text(CARD)
    program.chmod(0o755)
    journey.environ["PATH"] = f"{program.parent}:{journey.environ['PATH']}"
    async with serving(Discord()) as discord, async_playwright() as playwright:
        at = f'api_url = "{discord.url}/api/v10"\ngateway_url = "{discord.gateway.url.rstrip("/")}"\ncdn_url = "{discord.url}"\n'
        with journey.config.open("a") as config:
            config.write(f"\n[connectors.discord]\n{at}")
        guild, ada = discord.world.guild("Living room"), discord.world.user("Ada")
        chat = Channel(discord, guild["channels"][0], ada)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        async with journey.running() as link:
            page = await browser.new_page()
            await page.goto(link)
            await page.get_by_role("heading", name="Welcome to your Hobnob").wait_for()
            journey.done("the page greets")
            await _try_the_room(page, journey)
            await page.goto(f"{link.partition('/enter')[0]}/operator/start")
            await page.get_by_role("button", name="Connect Discord").click()
            await page.get_by_label("Token").fill(DISCORD)
            await page.get_by_role("button", name="Try it").click()
            await page.get_by_role("link", name="Let it into a server").wait_for()
            await page.get_by_role("button", name="Choose its models").click()
            await page.get_by_role("button", name="What fits this machine?").click()
            await page.locator(".rung", has_text="bfloat16 on NVIDIA GeForce RTX 4090").first.wait_for(timeout=60_000)
            journey.done("it says which models fit the card")
            await page.get_by_role("button", name="Write it and start anew").click()
            await wait_until(lambda: discord.gateway.ready and guild["id"] in discord.world.commands, PATIENCE)
            journey.done("it is written, and the bot is on Discord")
            await page.goto(f"{link.partition('/enter')[0]}/operator/servers")
            await page.get_by_role("heading", name="Who may use the bot").wait_for()
            await chat.ask("Are you there?")
            await page.get_by_role("button", name="Let Living room in").click()
            await page.get_by_role("link", name=f"Discord {guild['id']}").wait_for()
            journey.done("the server is let in")
            await chat.ask("What is the capital of France?")
            await wait_until(lambda: "Paris" in " ".join(chat.texts()), PATIENCE)
            journey.done("it answers there")
        await browser.close()


async def _try_the_room(page: Page, journey: Journey) -> None:
    await page.get_by_role("heading", name="Its models are ready").wait_for(timeout=PATIENCE * 1000)
    journey.done("the starter models are here, and loaded")
    await page.get_by_role("link", name="Try it in the room").click()
    await come(page, "Ada")
    await say(page, "@Hobnob What is the capital of France?")
    await page.locator(".message.bot:not(.busy)", has_text="Paris").wait_for(timeout=PATIENCE * 1000)
    journey.done("it answers in the room")


async def come(page: Page, name: str) -> None:
    """Into a room, under a name; nobody can write before the room has it."""
    await page.fill("dialog[open] input", name)
    await page.click("dialog .go")
    await page.locator("dialog").wait_for(state="hidden")


async def say(page: Page, text: str) -> None:
    """Writes and presses Enter; returns when the room has it."""
    await page.bring_to_front()
    await page.fill("#composer", text)
    await page.press("#composer", "Enter")
    await page.wait_for_function("document.querySelector('#composer').value === ''")


async def club(journey: Journey) -> None:
    """Telegram and voice notes, all by the terminal."""
    async with Telegram().serving() as telegram:
        with journey.config.open("a") as config:
            config.write(f'\n[connectors.telegram]\napi_url = "{telegram.root}"\nfile_url = "{telegram.root}/file"\n')
        for more in (["n", "y"], ["y"]):  # a machine on which something larger runs well is asked whether it is to answer
            if not (journey.config.parent / ".env").exists():
                await asyncio.to_thread(journey.hobnob, "init", said="\n".join(["", TELEGRAM, "public", "en", *more, ""]))
        journey.done("hobnob init is answered")
        ada = person(11, "Ada")
        lounge = telegram.chats.group(-1001, "Lounge", admins=[ada])
        async with journey.running():
            await wait_until(lambda: telegram.polled, PATIENCE)
            journey.done("the bot is on Telegram")
            await asyncio.to_thread(journey.hobnob, "servers", "policy", "servers", "open")
            telegram.chats.say(lounge, ada, "/voice always")
            await wait_until(lambda: lounge.said, PATIENCE)
            journey.done("an admin has asked for every voice note")
            telegram.chats.say(lounge, ada, voice=telegram.chats.voice(JFK.read_bytes(), 11))
            await wait_until(lambda: any("ask not what your country can do for you" in one for one in lounge.said), PATIENCE)
            journey.done("a voice note is text")


async def author(journey: Journey) -> None:
    """A plugin from a template to an answer."""
    home = journey.folder / "club-hello"
    await asyncio.to_thread(journey.hobnob, "plugins", "new", "club-hello", "--with", "command")
    journey.done("a project with tests")
    tested = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:simcord"]  # of our own tests, not of an author
    environ = {**journey.environ, "PYTHONPATH": f"{ROOT}:{home}"}
    done = await asyncio.to_thread(subprocess.run, tested, cwd=home, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    journey.done("its tests pass")
    with journey.config.open("a") as config:
        config.write(f'\n[plugins.club-hello]\npath = "{home}/hobnob_club_hello"\n')
    await asyncio.to_thread(journey.hobnob, "check")
    journey.done("hobnob check finds no fault")
    async with journey.running():
        answer = await asyncio.to_thread(journey.hobnob, "ask", "/club_hello")
        assert "Hello" in answer, answer
        journey.done("it answers in a room")


JOURNEYS: Mapping[str, Callable[[Journey], Coroutine[Any, Any, None]]] = {"home": home, "club": club, "author": author}


def main(words: Sequence[str]) -> int:
    """0 when everybody has arrived."""
    parser = argparse.ArgumentParser(prog="python -m tests.journeys", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*JOURNEYS, "many", []], help="Which; all without one.")
    parser.add_argument("--models", type=Path, help="A folder with the starter models; without it they are downloaded.")
    given = parser.parse_args(words)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HOBNOB_")}
    if given.models:
        ours["HOBNOB_MODELS__DIR"] = str(given.models.expanduser())
    table = Table("journey", "step", "after", box=None)
    for name, walk in JOURNEYS.items():
        if given.only and name not in given.only:
            continue
        with tempfile.TemporaryDirectory(prefix=f"journey-{name}-") as folder:
            journey = Journey(name, Path(folder) / "hobnob", ours)
            asyncio.run(walk(journey))
        for what, seconds in journey.steps:
            table.add_row(name, what, f"{seconds:.1f} s")
    Console(width=120).print(table)
    return many() if not given.only or "many" in given.only else 0


def many() -> int:
    """500 servers, two machines, TLS: what `make rehearsal` does."""
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", "tests.rehearsal"], cwd=ROOT, check=False).returncode
    Console().print(f"many: {time.monotonic() - began:.1f} s from empty folders to everybody's second answer")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
