"""`hobnob run`: everything in one command. Keeping the processes alive is in `bot/supervise.py`."""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer
from rich.console import Console

from bot import log
from bot.cli.claiming import offer
from bot.cli.developing import develop
from bot.cli.recording import recording
from bot.config import Config, load
from bot.errors import StoreError
from bot.faults import variable
from bot.supervise import Instance, Stop, running, stopping


def run(path: Path | None, port: int | None, bring: Sequence[str] = (), *, dev: bool = False) -> int:
    """Runs until it is told to stop; the exit code is that of a child that could not come up. `dev`: see `developing.py`.

    Where the configuration was changed from a page, this process becomes the one that runs with it.
    """
    before = dict(os.environ)  # without what `.env` said, which may be changed
    config = load(path)
    recent = log.Recent()
    log.setup(config.log, log.secrets_of(config), process="supervisor", recent=recent)
    absent, wait = _lacking(config, bring)
    first = not config.data_dir.exists()
    environ = {} if port is None else {variable(("web", "port")): str(port)}
    with recording(config.redis_url, recent):
        ended = asyncio.run(_run(config, environ, absent, wait=wait, first=first, dev=dev))
    if isinstance(ended, Anew):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, "-m", "bot.cli", *_anew(path, ended, dev=dev)], before)  # noqa: S606  ourselves
    return ended


@dataclass(frozen=True, slots=True)
class Anew:
    """Everything is to begin anew on this port, with these models to bring."""

    port: int
    bring: Sequence[str]


def _anew(path: Path | None, ended: Anew, *, dev: bool) -> list[str]:
    options = [*([] if path is None else ["--config", str(path)]), *(["--dev"] if dev else [])]
    return ["run", *options, "--port", str(ended.port), *(word for name in ended.bring for word in ("--bring", name))]


def _lacking(config: Config, names: Sequence[str]) -> tuple[list[str], bool]:
    """Those of these models that are not here, and whether no model is, so that a worker would have nothing to do. Raises ConfigError."""
    if not names:
        return [], False
    from bot import catalogue, origins  # what nobody needs who brings nothing
    from bot.pull import status

    known = catalogue.load(added=config.models_dir)
    lacking = {name for name, entry in known.models.items() if status(entry, config.models_dir) not in ("ready", "own")}
    came = [name for name, entry in known.models.items() if name not in lacking and not isinstance(entry.source, origins.Shipped)]
    return [entry.name for entry in known.needed(names) if entry.name in lacking], not came


async def _run(config: Config, environ: dict[str, str], bring: Sequence[str], *, wait: bool, first: bool, dev: bool) -> int | Anew:
    with stopping() as stop:
        async with running(config, environ=environ, develop=dev, bring=bring, wait=wait) as instance:
            stop.hurry = instance.kill
            watching = [asyncio.create_task(develop(config, instance))] if dev else []
            try:
                return await _until_stopped(config, instance, stop, first=first)
            finally:
                for task in watching:
                    task.cancel()
                await asyncio.gather(*watching, return_exceptions=True)


async def _until_stopped(config: Config, instance: Instance, stop: Stop, *, first: bool) -> int | Anew:
    asked = asyncio.create_task(stop.asked.wait())
    ends: set[asyncio.Future[Any]] = {asked, instance.failed, instance.again}
    await asyncio.wait({instance.link, *ends}, return_when=asyncio.FIRST_COMPLETED)
    if instance.link.done():
        _show(instance.link.result())
        if first and _desktop():
            webbrowser.open(instance.link.result())
        await _offer(config)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if instance.failed.done():
        return instance.failed.result()
    if instance.again.done():
        typer.echo("The configuration was changed: starting anew.", err=True)
        return Anew(urlsplit(instance.link.result()).port or config.web.port, instance.again.result())
    typer.echo("Stopping. What is being answered goes on at the next start.", err=True)
    return 0


def _desktop() -> bool:
    """Whether somebody sits at this machine, before a screen."""
    shown = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return shown and sys.stdout.isatty() and "SSH_CONNECTION" not in os.environ


async def _offer(config: Config) -> None:
    """How to become the owner, while there is none; apart from the link, which programs read."""
    try:
        code = await offer(config, first=True)
    except StoreError:  # it is away already; `hobnob claim` prints one later
        return
    if code is not None:
        typer.echo(f"To become its owner, say this to it within a day: /claim {code}", err=True)


def _show(link: str) -> None:
    """One line, whole even in a narrow terminal, so that it can be clicked and read by programs."""
    Console(soft_wrap=True, highlight=False).print(f"Hobnob is ready: [link={link}]{link}[/link]" if link else "Hobnob is ready.")
