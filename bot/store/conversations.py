"""The remembered turns of conversations. What a handler may do with them is in `bot/context.py`; writes go through a ticket's journal."""

from __future__ import annotations

from typing import cast

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.tickets import Write
from bot.turns import Summary, Turn, fit

MOST_TURNS = 2_000
"""Turns kept per conversation; far more than any context window holds."""

DAY = 86_400

RETENTION = 30 * DAY
"""Seconds a conversation is kept after its last turn, where its server says nothing else."""


class Conversations:
    """Reads turns, and says which writes change them. `person` is whose turns, and those of the bot to them; "" is everybody's.

    It is counted how often something was taken back: a summary that was begun before may hold it, and is worth nothing from then on.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def turns(self, conversation: str, budget: int, person: str = "") -> list[Turn]:
        """The newest turns that fit `budget` tokens, oldest first; see `bot.turns.fit` for where they are cut."""
        return fit([_read(entry, person) for entry in await self._entries(conversation, person)], budget)

    async def _entries(self, conversation: str, person: str = "") -> list[bytes]:
        found = [cast("bytes", entry) for entry in await self._redis.lrange(self._keys.turns(conversation), -MOST_TURNS, -1)]
        return [entry for entry in found if _read(entry).person == person] if person else found

    @guarded
    async def forget(self, conversation: str, message: str, *, branch: bool = False) -> None:
        """Takes away every turn that came of this message: what was asked, and what was answered.

        A question that is put in other words begins a `branch`: what its person asked since, and was answered, goes too.
        """
        if writes := await self.withdrawing(conversation, message, branch=branch):
            async with self._redis.pipeline(transaction=True) as batch:
                for write in writes:
                    batch.execute_command(*write)
                await batch.execute()

    @guarded
    async def withdrawing(self, conversation: str, message: str, *, branch: bool = False) -> list[Write]:
        """The writes that do so; none where there is nothing. Offsets go on from where they were, so prompts keep their prefix."""
        entries = await self._entries(conversation)
        gone = {message, *(_since(list(map(_read, entries)), message) if branch else ())}
        left = [entry for entry in entries if _read(entry).message in gone]
        writes: list[Write] = [["LREM", self._keys.turns(conversation), 1, entry] for entry in left]
        for person in sorted({"", *(_read(entry).person for entry in left)} if left else ()):
            first = next(turn.offset for entry in left if person in ("", (turn := _read(entry, person)).person))
            writes += await self._outdating(conversation, person, first)
        return writes

    async def _outdating(self, conversation: str, person: str, first: int) -> list[Write]:
        """The writes that make summaries worthless which were begun before, but for one that ends before the offset `first`."""
        summary, meta = await self.summary(conversation, person), self._keys.turns_meta(conversation)
        counted: list[Write] = [["HINCRBY", meta, f"forgotten:{person}", 1], ["EXPIRE", meta, RETENTION, "LT"]]
        kept = summary.model_copy(update={"forgotten": summary.forgotten + 1})
        return [*counted, *(self._keeping(conversation, kept, person) if 0 < summary.upto <= first else ())]

    @guarded
    async def summary(self, conversation: str, person: str = "") -> Summary:
        """What was said before, in short; an empty one where there is none, or where something of it was taken back since."""
        found, count = await self._redis.hmget(self._keys.turns_meta(conversation), [f"summary:{person}", f"forgotten:{person}"])
        summary = Summary() if found is None else Summary.model_validate_json(found)
        return summary if summary.forgotten == int(count or 0) else Summary(forgotten=int(count or 0))

    async def condensing(self, conversation: str, summary: Summary, person: str = "") -> list[Write]:
        """The writes that keep a summary; none where something was taken back since it was begun, so that the one before it stays."""
        now = await self.summary(conversation, person)
        return self._keeping(conversation, summary, person) if now.forgotten == summary.forgotten else []

    def _keeping(self, conversation: str, summary: Summary, person: str) -> list[Write]:
        meta = self._keys.turns_meta(conversation)
        return [["HSET", meta, f"summary:{person}", summary.model_dump_json()], ["EXPIRE", meta, RETENTION, "LT"]]

    def appending(self, conversation: str, turn: Turn, seconds: int = RETENTION) -> Write:
        """The write that adds a turn, from which on the conversation is kept for so many `seconds`; nothing of who wants no memory."""
        connector = conversation.partition("/")[0]
        turns, meta = self._keys.turns(conversation), self._keys.turns_meta(conversation)
        return [
            "APPEND",
            turns,
            meta,
            turn.model_dump_json(exclude={"offset", "calls", "call"}),
            turn.tokens,
            MOST_TURNS,
            seconds,
            turn.person,
            self._keys.unremembered(),
            f"{connector}/{turn.person}",
        ]

    @guarded
    async def resetting(self, conversation: str, person: str = "") -> list[Write]:
        """The writes that forget every turn and what was summed up; whoever is summing up sums up in vain."""
        turns, meta = self._keys.turns(conversation), self._keys.turns_meta(conversation)
        gone: list[Write] = (
            [["LREM", turns, 1, entry] for entry in await self._entries(conversation, person)] if person else [["DEL", turns]]
        )
        names = [cast("bytes", name).decode() for name in await self._redis.hkeys(meta)]
        whose = {"", person, *(name.removeprefix("tokens:") for name in names if name.startswith("tokens:") and not person)}
        counted: list[Write] = [["HINCRBY", meta, f"forgotten:{one}", 1] for one in sorted(whose)]
        return [*gone, *counted, ["EXPIRE", meta, RETENTION, "LT"]]


def _since(turns: list[Turn], message: str) -> set[str]:
    """The messages behind this one that the same person asked and that were answered, where this one was."""
    answered = {turn.message for turn in turns if turn.role == "bot"}
    at = next((index for index, turn in enumerate(turns) if turn.message == message and turn.role == "person"), None)
    if at is None or message not in answered:
        return set()
    return {turn.message for turn in turns[at:] if turn.person == turns[at].person and turn.message in answered}


def _read(entry: bytes, person: str = "") -> Turn:
    """Entries are "offset:theirs json": the offsets, of the conversation and of its person, are given by the script that appends."""
    numbers, json = entry.split(b" ", 1)
    offset, _, theirs = numbers.partition(b":")
    return Turn.model_validate_json(json).model_copy(update={"offset": int(theirs or offset) if person else int(offset)})
