"""Keeps what a process writes to its log for the operator's page, from a thread of its own. What is kept: `bot/store/loglines.py`.

Of its own, so that it also keeps the last words of a process whose loop is blocked, and costs that loop nothing.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from bot.errors import StoreError
from bot.log import Recent
from bot.store.connection import connect
from bot.store.keys import Keys
from bot.store.loglines import LogLines
from bot.store.tally import Tally

EVERY = 1.0
"""Seconds between two looks at what was written."""

LAST_WORDS = 1.0
"""Seconds that the last lines get at the end."""

LONGEST = 4000
"""Characters of a value in a line; of a longer one, a traceback say, the end is kept."""

log = structlog.get_logger(__name__)


@contextmanager
def recording(url: str, recent: Recent) -> Iterator[None]:
    """While the block runs; a store that is away is waited for."""
    ended = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_record(url, recent, ended)), name="log", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(LAST_WORDS)


async def _record(url: str, recent: Recent, ended: threading.Event) -> None:
    redis = connect(url)
    lines, tally = LogLines(redis, Keys()), Tally(redis, Keys())
    try:
        while not ended.wait(EVERY):
            try:
                await _keep(recent, lines, tally)
            except Exception:  # a fault of ours in one round must not end all those after it
                log.debug("lines are not kept", exc_info=True)
        await asyncio.wait_for(_keep(recent, lines, tally), LAST_WORDS / 2)
    except TimeoutError:
        pass  # they are in the log itself
    finally:
        await redis.aclose()


async def _keep(recent: Recent, lines: LogLines, tally: Tally) -> None:
    if not (taken := recent.take()):
        return
    read = [_read(line) for line in taken]
    try:
        await lines.write([json.dumps(_shortened(one), ensure_ascii=False) for one in read])
    except StoreError:
        recent.put_back(taken)
        return
    tally.erred(sum(one.get("level") in ("error", "critical") for one in read))
    with suppress(StoreError):
        await tally.flush()


def _read(line: str) -> dict[str, object]:
    """What a line says; one that redaction has broken stays as it is."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"message": line}


def _shortened(line: dict[str, object]) -> dict[str, object]:
    return {name: value[-LONGEST:] if isinstance(value, str) else value for name, value in line.items()}
