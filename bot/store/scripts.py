"""Runs the Lua scripts beside this file. What they do is said at the top of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from bot.store.exchanging import Exchange

WHEN_FULL = frozenset(
    {
        *("queue_claim", "queue_renew", "queue_emit", "queue_finish", "queue_release", "queue_reap", "queue_park", "queue_loaded"),
        *("queue_cancel", "queue_drop", "ticket_claim", "ticket_renew", "ticket_record", "ticket_finish", "ticket_release", "room_edit"),
        "album_done",
    }
)
"""Scripts that run even when Redis has no memory left: what was accepted comes to its end, and that frees some."""


class Scripts:
    """Scripts, called by their hashes, and by their texts when the server has forgotten them. Calls of one moment travel together."""

    def __init__(self, redis: Redis) -> None:
        self._ask = Exchange(redis)

    def __call__(self, name: str, *before: str, when_full: bool = False) -> Script:
        """The script `lua/NAME.lua`, behind those that define what it uses; see WHEN_FULL."""
        return Script(self._ask, source(name, *before, when_full=when_full))


class Script:
    """One of them."""

    def __init__(self, ask: Exchange, text: str) -> None:
        self._ask = ask
        self._text = text
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, *, keys: Sequence[Any] = (), args: Sequence[Any] = ()) -> Any:
        """What the script returns for these."""
        try:
            return await self._ask("EVALSHA", self._sha, len(keys), *keys, *args)
        except NoScriptError:  # its text also loads it: between a load of its own and the call it might be forgotten once more
            return await self._ask("EVAL", self._text, len(keys), *keys, *args)


@cache
def source(name: str, *before: str, when_full: bool = False) -> str:
    """The text of a script, behind those that define what it uses."""
    head = ["#!lua flags=allow-oom"] if when_full or name in WHEN_FULL else []
    return "\n".join([*head, *(files("bot.store").joinpath("lua", f"{part}.lua").read_text() for part in (*before, name))])
