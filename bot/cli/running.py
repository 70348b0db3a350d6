"""`hobnob run`: everything in one command. Keeping the processes alive is in `bot/supervise.py`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from bot import log
from bot.cli.claiming import offer
from bot.cli.developing import develop
from bot.config import Config, load
from bot.errors import StoreError
from bot.faults import variable
from bot.supervise import Instance, Stop, running, stopping


def run(path: Path | None, port: int | None, dev: bool = False) -> int:
    """Runs until it is told to stop; the exit code is that of a child that could not come up. `dev`: see `developing.py`."""
    config = load(path)
    log.setup(config.log, log.secrets_of(config), process="supervisor")
    return asyncio.run(_run(config, {} if port is None else {variable(("web", "port")): str(port)}, dev))


async def _run(config: Config, environ: dict[str, str], dev: bool) -> int:
    with stopping() as stop:
        async with running(config, environ=environ, develop=dev) as instance:
            stop.hurry = instance.kill
            watching = [asyncio.create_task(develop(config, instance))] if dev else []
            try:
                return await _until_stopped(config, instance, stop)
            finally:
                for task in watching:
                    task.cancel()
                await asyncio.gather(*watching, return_exceptions=True)


async def _until_stopped(config: Config, instance: Instance, stop: Stop) -> int:
    asked = asyncio.create_task(stop.asked.wait())
    ends: set[asyncio.Future[Any]] = {asked, instance.failed}
    await asyncio.wait({instance.link, *ends}, return_when=asyncio.FIRST_COMPLETED)
    if instance.link.done():
        _show(instance.link.result())
        await _offer(config)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if instance.failed.done():
        return instance.failed.result()
    typer.echo("Stopping. What is being answered goes on at the next start.", err=True)
    return 0


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
