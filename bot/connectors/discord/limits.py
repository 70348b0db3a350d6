"""What Discord takes: of a message, of a channel, of the whole bot. What keeps to it: the router's pace, and `calls.py`."""

from __future__ import annotations

from functools import lru_cache

import discord

from bot.connector import Limits
from bot.connectors.discord.access import Access

TEXT = 2000
"""Characters of a message [docs/resources/message]."""

FILE = 10 << 20
"""Bytes of a file where no guild allows more, since January 2025 [docs/reference: uploading files]."""

REQUEST = 24 << 20
"""Bytes of all files of a message, of the 25 MiB that a request may have [docs/reference: uploading files]."""

RATE = 36.0
"""Posts and edits a second for the whole bot, of the 50 calls that Discord takes [docs/topics/rate-limits]."""

ASIDE = 6.0
"""All other calls in a second. The eight that are left are for calls that arrive in the next second, because theirs took 0.2 s longer."""

PACE = 1.2
"""Seconds between two edits in a channel: it takes five in five seconds, and the answer itself needs some of them."""

BUDGET = 5, 5.5
"""Calls that a channel takes in so many seconds: five in five, and a call may be on its way for longer than the next one."""

PREVIEW = 3.0
"""Seconds between two pictures in a status line: each is an upload."""


def limits(access: Access, guild: discord.Guild | None) -> Limits:
    """Those of a guild, whose boosts allow larger files, or of a direct chat."""
    return _limits(access.share, bool(access.shard_ids), access.patience, guild.filesize_limit if guild else FILE)


@lru_cache(maxsize=16)
def _limits(share: float, apart: bool, patience: float, file: int) -> Limits:
    return Limits(
        TEXT,
        file,
        PACE,
        utf16=True,
        rate=RATE * share,
        rate_apart=apart,
        patience=patience,
        bytes_per_post=max(file, REQUEST),
        preview_interval=PREVIEW,
        menus=True,
        spoilers=True,
        budget=BUDGET,
        threads_apart=True,
    )
