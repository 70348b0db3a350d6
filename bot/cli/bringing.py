"""`hobnob bring`: brings models while everything else runs, and notes for the pages how far they have come. The steps: `bot/pull/`.

The supervisor starts it for those that are lacking, and the operator's page for one that is wanted; `hobnob models pull` is for terminals.
"""

from __future__ import annotations

import asyncio
import time
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
from bot.pull import Step, pull
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.pulls import Pulled, Pulls

EVERY = 0.3
"""Seconds between two notes."""

logger = structlog.get_logger(__name__)


def bring(path: Path | None, names: Sequence[str], patience: float) -> None:
    """Where the store does not answer, they come all the same. Raises ConfigError for what could not be brought, which is noted, too."""
    config = load(path)
    log.setup(config.log, log.secrets_of(config), process="bring")
    known = catalogue.load(added=config.models_dir)
    entries = known.needed(names)
    refused = {entry.name: fault for entry in entries if (fault := " ".join(obstacles(known, entry, config)))}
    if config.redis.url is None:
        with suppress(StoreError):
            await_store(config.data_dir, patience)
    asyncio.run(_bring(config, entries, refused))


async def _bring(config: Config, entries: Sequence[Entry], refused: dict[str, str]) -> None:
    steps = {
        entry.name: Pulled(model=entry.name, doing="waiting", total=entry.disk, fault=refused.get(entry.name, "")) for entry in entries
    }
    wanted = [entry for entry in entries if entry.name not in refused]

    def tell(step: Step) -> None:
        if steps[step.model].doing != step.doing:
            logger.info("a model is on its way", model=step.model, doing=step.doing)
        steps[step.model] = Pulled(model=step.model, doing=step.doing, done=step.done, total=step.total)

    redis = connect(config.redis_url)
    pulls = Pulls(redis, Keys())
    working = asyncio.create_task(asyncio.to_thread(pull, wanted, config.models_dir, access(config), tell))
    try:
        while not working.done():
            await asyncio.wait([working], timeout=EVERY)
            with suppress(StoreError):  # who looks on sees it a little later
                await pulls.note([one.model_copy(update={"at": time.time()}) for one in steps.values()])
        await _ended(working, steps, pulls)
    finally:
        await redis.aclose()


async def _ended(working: asyncio.Task[object], steps: dict[str, Pulled], pulls: Pulls) -> None:
    try:
        await working
    except PullError as error:
        stuck = next(one for one in steps.values() if not one.over)
        steps[stuck.model] = stuck.model_copy(update={"fault": str(error)})
        with suppress(StoreError):
            await pulls.note([steps[stuck.model]])
    if faults := [one.fault for one in steps.values() if one.fault]:
        raise ConfigError(*faults)
