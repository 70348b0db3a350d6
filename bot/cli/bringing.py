"""`hobnob bring`: brings models while everything else runs, and notes for the pages how far they have come. The steps: `bot/pull/`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from bot import catalogue, log
from bot.catalogue import Entry
from bot.cli.listing import access, obstacles
from bot.cli.processes import await_store
from bot.config import Config, load
from bot.errors import ConfigError, PullError, StoreError
from bot.exits import FAULT
from bot.pull import Step, pull
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.pulls import Pulled, Pulls

EVERY = 0.3
"""Seconds between two notes."""

logger = structlog.get_logger(__name__)


def bring(path: Path | None, names: Sequence[str], patience: float) -> int:
    """The exit code: 2 where somebody has to do something. Raises ConfigError for a model that may not be used."""
    config = load(path)
    log.setup(config.log, log.secrets_of(config), process="bring")
    known = catalogue.load(added=config.models_dir)
    entries = known.needed(names)
    if faults := [said for entry in entries for said in obstacles(known, entry, config)]:
        raise ConfigError(*faults)
    if config.redis.url is None:
        await_store(config.data_dir, patience)
    return asyncio.run(_bring(config, entries))


async def _bring(config: Config, entries: Sequence[Entry]) -> int:
    steps = {entry.name: Pulled(model=entry.name, doing="waiting", total=entry.disk) for entry in entries}

    def tell(step: Step) -> None:
        if steps[step.model].doing != step.doing:
            logger.info("a model is on its way", model=step.model, doing=step.doing)
        steps[step.model] = Pulled(model=step.model, doing=step.doing, done=step.done, total=step.total)

    redis = connect(config.redis_url)
    pulls = Pulls(redis, Keys())
    working = asyncio.create_task(asyncio.to_thread(pull, entries, config.models_dir, access(config), tell))
    try:
        while not working.done():
            await asyncio.wait([working], timeout=EVERY)
            with suppress(StoreError):  # who looks on sees it a little later
                await pulls.note(list(steps.values()))
        return await _ended(working, steps, pulls)
    finally:
        await redis.aclose()


async def _ended(working: asyncio.Task[object], steps: dict[str, Pulled], pulls: Pulls) -> int:
    try:
        await working
    except PullError as error:
        logger.error("a model could not be brought", fault=str(error))
        stuck = next(one for one in steps.values() if one.doing != "ready")
        with suppress(StoreError):
            await pulls.note([stuck.model_copy(update={"fault": str(error)})])
        return FAULT
    return 0
