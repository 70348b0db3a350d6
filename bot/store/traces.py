"""The paths of messages, for as long as somebody may ask why. What is in one: `bot/traces.py`; who may see it: `explaining.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.traces import Step, Trace

KEPT = 3600
"""Seconds for which a path is known."""


class Traces:
    """Writes paths as messages are seen, and what became of them as their tickets end."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def seen(self, conversation: str, trace: Trace, *, last: bool) -> None:
        """A message was looked at; of its person's it is the `last`, unless nobody would ask about it."""
        name = self._keys.path(conversation, trace.message)
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(name, "seen", trace.model_dump_json(exclude_defaults=True))
            batch.expire(name, KEPT)
            if last:
                batch.set(self._keys.path_last(conversation, trace.person), trace.message, ex=KEPT)
            await batch.execute()

    @guarded
    async def ended(self, conversation: str, message: str, step: Step, answers: Sequence[str]) -> None:
        """One of its tickets has ended, with these messages as its answer."""
        name = self._keys.path(conversation, message)
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(name, f"{step.plugin} {step.route}", step.model_dump_json(exclude_defaults=True))
            batch.expire(name, KEPT)
            for answer in answers:
                batch.set(self._keys.path_of(conversation, answer), message, ex=KEPT)
            await batch.execute()

    @guarded
    async def find(self, conversation: str, message: str) -> Trace | None:
        """The path of a message, or of the one that this one answers."""
        asked = cast("bytes | None", await self._redis.get(self._keys.path_of(conversation, message)))
        name = self._keys.path(conversation, message if asked is None else asked.decode())
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(name))
        if b"seen" not in found:
            return None
        trace = Trace.model_validate_json(found.pop(b"seen"))
        ended = {name.decode(): Step.model_validate_json(step) for name, step in found.items()}
        steps = tuple(ended.pop(f"{step.plugin} {step.route}", step) for step in trace.steps)
        return trace.model_copy(update={"steps": (*steps, *ended.values())})

    @guarded
    async def last(self, conversation: str, person: str) -> Trace | None:
        """The path of the last message of a person there."""
        found = cast("bytes | None", await self._redis.get(self._keys.path_last(conversation, person)))
        return None if found is None else await self.find(conversation, found.decode())
