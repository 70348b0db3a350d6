"""`hobnob run --dev`: what changes in the folders of plugins is run as it is now. Ending and starting processes: `bot/supervise.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import structlog
from watchfiles import Change, awatch

from bot.config import Config
from bot.discovery import installed
from bot.supervise import ROUTER, WORKER, Instance

READ = {".py", ".toml", ".po"}
"""What a plugin consists of."""

BOTH = {"jobs.py", "config.py", "settings.py", "plugin.toml", "__init__.py"}
"""What both halves read."""

QUIET = 200
"""Milliseconds without a change after which an editor has written all that it wants to write."""

log = structlog.get_logger(__name__)


async def develop(config: Config, instance: Instance) -> None:
    """Until cancelled."""
    async for changes in awatch(*folders(config), watch_filter=_matters, debounce=QUIET, step=QUIET // 4):
        changed = [Path(path) for _, path in changes]
        for name in sorted(concerned(changed)):
            log.info("a plugin has changed", files=sorted(path.name for path in changed), starts_again=name)
            instance.renew(name)


def folders(config: Config) -> Iterator[Path]:
    """Where the plugins of the configuration lie; none of them is imported here."""
    offers = installed()
    for name, table in config.plugins.items():
        if table.path is not None:
            yield table.path
        elif name in offers and (spec := find_spec(offers[name][0].value)) and spec.submodule_search_locations:
            yield Path(next(iter(spec.submodule_search_locations)))


def concerned(changed: Iterable[Path]) -> set[str]:
    """Which processes run these files: the front half is the router's, the model half a worker's."""
    names = {path.name for path in changed}
    router = {ROUTER} if names - {"model.py"} else set()
    return router | ({WORKER} if names & {"model.py", *BOTH} else set())


def _matters(_: Change, path: str) -> bool:
    return Path(path).suffix in READ
