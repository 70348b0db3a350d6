"""Who people are in a chat, asked from Telegram when somebody acts there. What they say and do: `reading.py`."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from telegram import ChatMember, ChatMemberRestricted
from telegram.error import TelegramError

TRUSTED = 60.0
"""Seconds for which somebody who manages nothing is taken for what they were; who does is asked for each time."""

MOST_TRUSTED = 4096

ROLES = {"creator": "Owner", "administrator": "Administrator", "member": "Member", "restricted": "Restricted"}
"""What somebody is called who is this in a chat."""

MANAGING = frozenset({"creator", "administrator"})
GONE = frozenset({"left", "kicked"})

log = structlog.get_logger(__name__)


@dataclass
class Members:
    """Knows people for a minute, but for those who manage the chat. `ask` is given a chat and a person."""

    ask: Callable[[int, int], Awaitable[ChatMember]]
    _known: OrderedDict[tuple[int, int], tuple[float, str]] = field(default_factory=OrderedDict)

    async def status(self, chat: int, who: int, *, lately: bool = False) -> str:
        """`creator`, `administrator`, `member`, `restricted`, `left` or `kicked`; "" where Telegram does not say.

        `lately` trusts what somebody who manages the chat was, too.
        """
        at, known = self._known.get((chat, who), (0.0, ""))
        if known and (lately or known not in MANAGING) and time.monotonic() - at < TRUSTED:
            return known
        try:
            member = await self.ask(chat, who)
        except TelegramError as error:
            log.warning("who somebody is cannot be looked up", fault=error.message)
            return ""
        outside = isinstance(member, ChatMemberRestricted) and not member.is_member
        found = "left" if outside else str(member.status)
        self._known[chat, who] = time.monotonic(), found
        if len(self._known) > MOST_TRUSTED:
            self._known.popitem(last=False)
        return found
