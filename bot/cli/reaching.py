"""Reaches what runs, for commands that look at it or act on it from outside. What they look at and do is in the modules of their names."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bot import log
from bot.cli.meeting import runs
from bot.config import Config, load
from bot.errors import StoreError
from bot.store.connection import check, connect

if TYPE_CHECKING:
    from redis.asyncio import Redis


def setup(path: Path | None, process: str) -> Config:
    """The configuration; of the log only what is wrong is shown."""
    config = load(path)
    log.setup(config.log.model_copy(update={"level": "warning"}), log.secrets_of(config), process=process)
    return config


@asynccontextmanager
async def store(config: Config) -> AsyncIterator[Redis]:
    """The store. Raises StoreError where nothing runs."""
    if not runs(config):
        raise StoreError(f"nothing runs in {config.data_dir}: `hobnob run` starts everything")
    async with connected(config) as redis:
        yield redis


@asynccontextmanager
async def connected(config: Config) -> AsyncIterator[Redis]:
    """The store, which has to be there. Raises StoreError."""
    redis = connect(config.redis_url)
    try:
        await check(redis, config.redis_url)
        yield redis
    finally:
        await redis.aclose()


def console() -> Console:
    """As wide as the terminal; in a pipe nothing is cut."""
    return Console() if sys.stdout.isatty() else Console(width=400)
