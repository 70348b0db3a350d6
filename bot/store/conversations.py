"""The remembered turns of conversations. What a handler may do with them is in `bot/context.py`; writes go through a ticket's journal."""

from __future__ import annotations

from typing import cast

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.tickets import Write
from bot.turns import Turn, fit

MOST_TURNS = 2_000
"""Turns kept per conversation; far more than any context window holds."""

RETENTION = 30 * 86_400
"""Seconds a conversation is kept after its last turn."""


class Conversations:
    """Reads turns, and says which writes change them."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def turns(self, conversation: str, budget: int) -> list[Turn]:
        """The newest turns that fit `budget` tokens, oldest first; see `bot.turns.fit` for where they are cut."""
        found = await self._redis.lrange(self._keys.turns(conversation), -MOST_TURNS, -1)
        return fit([_read(cast("bytes", entry)) for entry in found], budget)

    @guarded
    async def forget(self, conversation: str, message: str) -> None:
        """Takes away every turn that came of this message: what was asked, and what was answered."""
        key = self._keys.turns(conversation)
        found = [cast("bytes", entry) for entry in await self._redis.lrange(key, -MOST_TURNS, -1)]
        gone = [entry for entry in found if _read(entry).message == message]
        if gone:
            async with self._redis.pipeline(transaction=True) as batch:
                for entry in gone:
                    batch.lrem(key, 1, entry)  # type: ignore[arg-type]  # bytes are as good
                await batch.execute()

    def appending(self, conversation: str, turn: Turn) -> Write:
        """The write that adds a turn."""
        turns, meta = self._keys.turns(conversation), self._keys.turns_meta(conversation)
        return ["APPEND", turns, meta, turn.model_dump_json(exclude={"offset"}), turn.tokens, MOST_TURNS, RETENTION]

    def withdrawing(self, conversation: str, count: int) -> Write:
        """The write that forgets the newest turns. Offsets go on from where they were, so prompts keep their prefix."""
        return ["RPOP", self._keys.turns(conversation), count]

    def resetting(self, conversation: str) -> Write:
        """The write that forgets every turn."""
        return ["DEL", self._keys.turns(conversation), self._keys.turns_meta(conversation)]


def _read(entry: bytes) -> Turn:
    """Entries are "offset json", so that the offset can be given by the script that appends."""
    offset, json = entry.split(b" ", 1)
    return Turn.model_validate_json(json).model_copy(update={"offset": int(offset)})
