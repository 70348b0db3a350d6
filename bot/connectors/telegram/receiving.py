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

    async def take(self, raw: Iterable[Json], *, apart: bool = False) -> None:
        """Returns once the router has written down all of them. Raises StoreError when it cannot: nothing may be acknowledged then.

        `apart` says that of an album there may come more, each part once the one before is acknowledged.
        """
        updates = [update for one in raw if (update := self._parsed(one)) is not None]
        faults = await asyncio.gather(*(self._hand_over(groups, apart) for groups in lanes(together(updates))), return_exceptions=True)
        for fault in faults:
            if fault is not None:
                raise fault
        for update in updates:
            if update.callback_query is not None:
                self.clicked(update.callback_query.id)

    async def _hand_over(self, groups: Sequence[list[Update]], apart: bool) -> None:
        """What was said in one chat, in its order."""
        for group in groups:
            try:
                for message in (self.reader.joined(group[0]), await self.reader.read(group, apart=apart)):
                    if message is not None:
                        await self.deliver(message)
            except StoreError:
                raise
            except Exception:  # a fault of ours in one message must not silence the platform
                log.exception("message not delivered", update=group[0].update_id)

    def _parsed(self, raw: Json) -> Update | None:
        try:
            return Update.de_json(raw, self.bot)
        except Exception:  # something that this version of the library does not understand
            log.exception("update not understood", update=raw.get("update_id"))
            return None


def together(updates: Sequence[Update]) -> list[list[Update]]:
    """The updates in order, those of one album as one, where its first stands."""
    found: list[list[Update]] = []
    albums: dict[str, list[Update]] = {}
    for update in updates:
        album = str(update.message.media_group_id or "") if update.message else ""  # the library takes whatever stands there
        if album in albums:
            albums[album].append(update)
            continue
        found.append([update])
        if album:
            albums[album] = found[-1]
    return found


def lanes(groups: Sequence[list[Update]]) -> list[list[list[Update]]]:
    """The updates by their chats, which need not wait for one another; all in one where a chat moves to another."""
    if any(group[0].message and (group[0].message.migrate_to_chat_id or group[0].message.migrate_from_chat_id) for group in groups):
        return [list(groups)]
    found: dict[int, list[list[Update]]] = {}
    for group in groups:
        found.setdefault(group[0].effective_chat.id if group[0].effective_chat else 0, []).append(group)
    return list(found.values())


def album_of(raw: Json) -> str:
    """The album that an update is part of, "" for none."""
    return str((raw.get("message") or {}).get("media_group_id", ""))
