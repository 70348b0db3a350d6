"""`hobnob claim`: a code that makes whoever says it an owner. What owners may: `plugins/admin`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from bot.cli.reaching import setup, store
from bot.config import Config
from bot.store.house import HouseRules
from bot.store.keys import Keys


def claim(path: Path | None) -> None:
    """Prints the code. Raises StoreError where nothing runs."""
    config = setup(path, "claim")
    typer.echo(f"Say this to the bot, in any chat, within a day: /claim {asyncio.run(offer(config))}")


async def offer(config: Config, *, first: bool = False) -> str | None:
    """A code; None where only the `first` owner is looked for and there is one, or nobody could take one."""
    async with store(config) as redis:
        house = HouseRules(redis, Keys())
        if first and ("admin" not in config.plugins or (await house.get()).owners):
            return None
        return await house.offer()
