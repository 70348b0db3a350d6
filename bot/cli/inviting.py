"""`hobnob link`: lets another browser in where Hobnob runs. How it becomes a session: `bot/web/entrance.py`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from bot.cli.meeting import runs
from bot.cli.reaching import setup, store
from bot.config import Config
from bot.store.keys import Keys
from bot.store.sessions import GUEST, OPERATOR, Sessions

NOBODY = "no pages are served here: `hobnob run` starts everything and prints a link"


def link(path: Path | None, operator: bool) -> int:
    """Prints it, for a guest of the rooms or for an operator. 0 when there is a link, 1 where nothing runs that it could lead to."""
    config = setup(path, "link")
    found = asyncio.run(_link(config, operator)) if runs(config) else None
    typer.echo(found or f"hobnob: {NOBODY}", err=found is None)
    return int(found is None)


async def _link(config: Config, operator: bool) -> str | None:
    async with store(config) as redis:
        sessions = Sessions(redis, Keys())
        address = await sessions.served()
        return None if address is None else await sessions.link(address, OPERATOR if operator else GUEST)
