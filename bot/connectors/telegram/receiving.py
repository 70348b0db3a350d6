"""What both ways of receiving share: updates become arrivals and are handed to the router. The ways: `polling.py`, `webhooks.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from telegram import Bot, Update

from bot.connector import Deliver
from bot.connectors.telegram.reading import Reader
from bot.errors import StoreError

Json = dict[str, Any]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Receiver:
    """Takes updates as they come over the wire."""

    bot: Bot
    reader: Reader
    deliver: Deliver
    clicked: Callable[[str], None]

    async def take(self, raw: Iterable[Json]) -> None:
        """Returns once the router has written down all of them. Raises StoreError when it cannot: nothing may be acknowledged then."""
        updates = [update for one in raw if (update := self._parsed(one)) is not None]
        faults = await asyncio.gather(*(self._hand_over(lane) for lane in lanes(updates)), return_exceptions=True)
        for fault in faults:
            if fault is not None:
                raise fault
        for update in updates:
            if update.callback_query is not None:
                self.clicked(update.callback_query.id)

    async def _hand_over(self, updates: Sequence[Update]) -> None:
        """What was said in one chat, in its order."""
        for update in updates:
            try:
                await self._join(update)
                if (message := await self.reader.read(update)) is not None:
                    await self.deliver(message)
            except StoreError:
                raise
            except Exception:  # a fault of ours in one message must not silence the platform
                log.exception("message not delivered", update=update.update_id)

    async def _join(self, update: Update) -> None:
        """A fault of ours here must not silence the group: all that is said there would be stopped by it, again and again."""
        joined = self.reader.joined(update)
        if joined is None:
            return
        try:
            await self.deliver(joined)
        except StoreError:
            raise
        except Exception:
            log.exception("where the bot is was not delivered", update=update.update_id)
        self.reader.told(joined)

    def _parsed(self, raw: Json) -> Update | None:
        try:
            return Update.de_json(raw, self.bot)
        except Exception:  # something that this version of the library does not understand
            log.exception("update not understood", update=raw.get("update_id"))
            return None


def lanes(updates: Sequence[Update]) -> list[list[Update]]:
    """The updates by their chats, which need not wait for one another; all in one where a chat moves to another."""
    if any(one.message and (one.message.migrate_to_chat_id or one.message.migrate_from_chat_id) for one in updates):
        return [list(updates)]
    found: dict[int, list[Update]] = {}
    for update in updates:
        found.setdefault(update.effective_chat.id if update.effective_chat else 0, []).append(update)
    return list(found.values())
