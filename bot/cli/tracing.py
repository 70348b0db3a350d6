"""`hobnob plugins trace` and `retry`: what plugins are asked while it looks, and another try for one that was left out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from rich.text import Text

from bot.cli.reaching import console, setup, store
from bot.config import Config
from bot.errors import ConfigError
from bot.store.keys import Keys
from bot.store.tracing import Tracing
from bot.store.troubles import Trouble, Troubles


def trace(path: Path | None, name: str) -> int:
    """Prints each call of a hook or handler, until Ctrl-C. Raises StoreError where nothing runs."""
    config = setup(path, "trace")
    if name and name not in config.plugins:
        raise ConfigError(f"{name}: expected a plugin that has a table in {config.source.path}")
    try:
        asyncio.run(_trace(config, name))
    except KeyboardInterrupt:
        return 0
    return 0


async def _trace(config: Config, name: str) -> None:
    out = console()
    async with store(config) as redis:
        async for told in Tracing(redis, Keys()).follow():
            call = json.loads(told)
            if name in ("", call["plugin"]):
                took = f"{call['seconds'] * 1000:9.2f} ms"
                out.print(Text(f"{call['plugin']:12} {call['what']:20} {took}  {call['outcome']}"), soft_wrap=True)


def retry(path: Path | None, name: str) -> int:
    """Forgets why a plugin was left out; the next start of a router has it again."""
    config = setup(path, "plugins")
    if not asyncio.run(_forget(config, name)):
        console().print(f"Nothing is known against {name}.")
        return 1
    console().print(f"{name} is tried again when a router starts.")
    return 0


async def _forget(config: Config, name: str) -> bool:
    async with store(config) as redis:
        return await Troubles(redis, Keys()).forget(name)


async def troubles(config: Config) -> dict[str, Trouble]:
    """Of plugins, as the running routers tell them. Raises StoreError where nothing runs."""
    async with store(config) as redis:
        return await Troubles(redis, Keys()).all()
