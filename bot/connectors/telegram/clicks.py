"""Clicks on buttons, which Telegram wants confirmed within seconds; the confirmation can carry words that only their person sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from telegram.error import BadRequest, TelegramError

WAIT = 1.0
"""Seconds in which there may come something to say; the button shows meanwhile that it was pressed."""

LONGEST = 200
"""Units of the words."""

VIA = "click:"

log = structlog.get_logger(__name__)


@dataclass
class Clicks:
    """Confirms each click once. `answer` is given the click's id and the words, "" for none."""

    answer: Callable[[str, str], Awaitable[object]]
    wait: float = WAIT
    _waiting: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def came(self, id: str) -> None:
        """The router has written it down; it is confirmed without words if none come."""
        task = self._waiting[id] = asyncio.create_task(self._confirm_later(id))
        task.add_done_callback(lambda _: self._waiting.pop(id, None))

    async def _confirm_later(self, id: str) -> None:
        await asyncio.sleep(self.wait)
        await self._confirm(id)

    async def _confirm(self, id: str) -> None:
        try:
            await self.answer(id, "")
        except TelegramError as error:  # the sign goes away by itself
            log.info("a click was not confirmed", fault=error.message)

    async def over(self, via: str) -> None:
        """Something visible came of the click that `via` names, or nothing will."""
        task = self._waiting.pop(via.removeprefix(VIA), None)
        if task is not None:
            task.cancel()
            await self._confirm(via.removeprefix(VIA))

    async def say(self, via: str, words: str) -> bool:
        """Whether the person has been shown the words; False when it is too late for that."""
        if (task := self._waiting.pop(via.removeprefix(VIA), None)) is not None:
            task.cancel()
        try:
            await self.answer(via.removeprefix(VIA), words)
        except BadRequest:
            return False
        return True

    async def close(self) -> None:
        """Leaves the rest to Telegram."""
        tasks = list(self._waiting.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
