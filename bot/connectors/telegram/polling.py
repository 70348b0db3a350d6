"""Long polling. Updates count as received only when the router has written them down: then the next call's offset says so."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.connectors.telegram import faults
from bot.connectors.telegram.reading import ALLOWED
from bot.connectors.telegram.receiving import Json, Receiver
from bot.connectors.telegram.requests import Requests
from bot.errors import StoreError

WAIT = 50
"""Seconds of one call while nothing happens."""

SPARE = 10.0
"""Seconds on top of that until the connection counts as dead."""

MOST_PAUSE = 30.0
STORE_PAUSE = 0.5

log = structlog.get_logger(__name__)


@dataclass
class Polling:
    """Asks `root` (address and token) for updates over connections of its own, so that sending never waits for it."""

    root: str
    request: Requests
    receiver: Receiver
    wait: int = WAIT
    told: str = ""
    """What is wrong, "" while Telegram answers."""

    async def run(self) -> None:
        """Until cancelled; what was not written down is told again by Telegram, to whoever asks next. Raises InvalidToken."""
        offset, pause = 0, faults.PAUSE
        while True:
            try:
                updates = await self._updates(offset, self.wait)
                pause = faults.PAUSE
            except InvalidToken:
                raise
            except TelegramError as error:
                await self._tell(error)
                await asyncio.sleep(faults.seconds(error) if isinstance(error, RetryAfter) else pause)
                pause = min(pause * 2, MOST_PAUSE)
                continue
            await self._hand_over(updates)
            offset = max([offset, *(update["update_id"] + 1 for update in updates)])

    async def _updates(self, offset: int, wait: int) -> list[Json]:
        query = urlencode({"offset": offset, "timeout": wait, "allowed_updates": json.dumps(ALLOWED)})
        found = await self.request.post(f"{self.root}/getUpdates?{query}", read_timeout=wait + SPARE)
        if self.told:
            log.info("Telegram answers again")
        self.told = ""
        return list(found)  # type: ignore[arg-type]  # the library types every result as an object

    async def _hand_over(self, updates: list[Json]) -> None:
        while True:
            try:
                await self.receiver.take(updates)
            except StoreError as error:
                await self._tell(error)
                await asyncio.sleep(STORE_PAUSE)
            else:
                return

    async def _tell(self, error: Exception) -> None:
        """Of a fault that lasts for hours the log hears once."""
        fault = "another program receives with the same token" if isinstance(error, Conflict) else str(error)
        if fault != self.told:
            log.warning("updates wait", fault=fault)
        self.told = fault
