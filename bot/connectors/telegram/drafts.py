"""Answers that are being written, shown as drafts alone with a person: no messages yet, and gone by themselves, also after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from zlib import crc32

from telegram.error import TelegramError

from bot.connectors.telegram.styled import Styled
from bot.messages import Address

AGAIN = 20.0
"""Seconds after which a draft is sent again, because Telegram takes it away after 30."""

LONGEST = 900.0
"""Seconds for which a draft is kept up that nobody changes or ends."""

Put = Callable[[Address, int, Styled], Awaitable[None]]


@dataclass
class Drafts:
    """Keeps drafts alive until the message that they become is sent. `put` shows one."""

    put: Put
    again: float = AGAIN
    _keeping: dict[Address, asyncio.Task[None]] = field(default_factory=dict)

    async def show(self, to: Address, nonce: str, words: Styled) -> None:
        """Shows the words; the same nonce changes the same draft."""
        number, before = crc32(nonce.encode()) or 1, self._keeping.get(to)
        # Kept from before the first call on, so that whatever ends or follows it meanwhile finds it.
        keeping = self._keeping[to] = asyncio.create_task(self._keep(to, number, words))
        keeping.add_done_callback(lambda _: self._forget(to, keeping))
        try:
            await _over(before)
            await self.put(to, number, words)
        except BaseException:
            keeping.cancel()
            raise

    async def end(self, to: Address) -> None:
        """Lets a draft be: a message takes its place, or its time does."""
        await _over(self._keeping.get(to))

    async def close(self) -> None:
        """Lets all of them be."""
        for to in list(self._keeping):
            await self.end(to)

    async def _keep(self, to: Address, number: int, words: Styled) -> None:
        for _ in range(int(LONGEST / AGAIN)):
            await asyncio.sleep(self.again)
            with suppress(TelegramError):  # the next one may succeed, and the answer does not depend on it
                await self.put(to, number, words)

    def _forget(self, to: Address, keeping: asyncio.Task[None]) -> None:
        if self._keeping.get(to) is keeping:
            del self._keeping[to]


async def _over(keeping: asyncio.Task[None] | None) -> None:
    if keeping is not None:
        keeping.cancel()
        await asyncio.wait((keeping,))
