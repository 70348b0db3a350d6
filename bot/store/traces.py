"""The paths of messages, for as long as somebody may ask why. What is in one: `bot/traces.py`; who may see it: `explaining.py`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import cast

import structlog
from redis.asyncio import Redis

from bot.errors import StoreError
from bot.store.connection import guarded
from bot.store.exchanging import Command, answered
from bot.store.keys import Keys
from bot.traces import Step, Trace

KEPT = 3600
"""Seconds for which a path is known."""

MOST = 2000
"""Paths of messages to the bot that can be listed."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Passed:
    """A path, in which conversation, and what was said where that is kept."""

    conversation: str
    trace: Trace
    said: str = ""


class Traces:
    """Writes paths as messages are seen, and what became of them as their tickets end: at once, and what comes meanwhile together.

    Nobody waits for it; what could not be written is not known later.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._due: list[Command] = []
        self._writing: asyncio.Task[None] | None = None

    def seen(self, conversation: str, trace: Trace, *, last: bool, said: str = "") -> None:
        """A message was looked at; of its person's it is the `last`, unless nobody would ask about it."""
        name = self._keys.path(conversation, trace.message)
        kept = ("seen", trace.model_dump_json(exclude_defaults=True), *(("said", said) if said else ()))
        due: list[Command] = [("HSET", name, *kept), ("EXPIRE", name, KEPT)]
        if trace.rule or trace.stop or trace.steps or trace.missed:
            due.append(("ZADD", self._keys.paths(), trace.at, json.dumps([conversation, trace.message])))
        if last:
            due.append(("SET", self._keys.path_last(conversation, trace.person), trace.message, "EX", KEPT))
        self._put(due)

    def ended(self, conversation: str, message: str, step: Step, answers: Sequence[str]) -> None:
        """One of its tickets has ended, with these messages as its answer."""
        name = self._keys.path(conversation, message)
        became = (f"{step.plugin} {step.route}", step.model_dump_json(exclude_defaults=True))
        due: list[Command] = [("HSET", name, *became), ("EXPIRE", name, KEPT)]
        self._put([*due, *(("SET", self._keys.path_of(conversation, answer), message, "EX", KEPT) for answer in answers)])

    def _put(self, due: Iterable[Command]) -> None:
        self._due.extend(due)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), context=Context())  # of no ticket

    async def _write(self) -> None:
        while self._due:
            due, self._due = self._due, []
            try:
                await self._send(due)
            except StoreError as error:
                log.debug("paths are not known", fault=str(error))

    @guarded
    async def _send(self, due: Sequence[Command]) -> None:
        paths = self._keys.paths()
        trimmed: list[Command] = [("ZREMRANGEBYRANK", paths, 0, -MOST - 1), ("ZREMRANGEBYSCORE", paths, "-inf", time.time() - KEPT)]
        await answered(self._redis, [*due, *trimmed, ("EXPIRE", paths, KEPT)])

    async def written(self) -> None:
        """Returns when nothing is left to write."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    @guarded
    async def find(self, conversation: str, message: str) -> Trace | None:
        """The path of a message, or of the one that this one answers."""
        await self.written()
        asked = cast("bytes | None", await self._redis.get(self._keys.path_of(conversation, message)))
        name = self._keys.path(conversation, message if asked is None else asked.decode())
        return _read(cast("dict[bytes, bytes]", await self._redis.hgetall(name)))

    @guarded
    async def recent(self, most: int, skipped: int = 0) -> list[Passed]:
        """The paths of the last messages to the bot, newest first, but for so many that are `skipped`."""
        found = cast("list[bytes]", await self._redis.zrevrange(self._keys.paths(), skipped, skipped + most - 1))
        places: list[tuple[str, str]] = [tuple(json.loads(one)) for one in found]
        async with self._redis.pipeline(transaction=False) as batch:
            for conversation, message in places:
                batch.hgetall(self._keys.path(conversation, message))
            kept = cast("list[dict[bytes, bytes]]", await batch.execute())
        return [
            Passed(conversation, trace, fields.get(b"said", b"").decode())
            for (conversation, _), fields in zip(places, kept, strict=True)
            if (trace := _read(fields)) is not None
        ]

    @guarded
    async def last(self, conversation: str, person: str) -> Trace | None:
        """The path of the last message of a person there."""
        await self.written()
        found = cast("bytes | None", await self._redis.get(self._keys.path_last(conversation, person)))
        return None if found is None else await self.find(conversation, found.decode())


def _read(kept: Mapping[bytes, bytes]) -> Trace | None:
    """What was seen, with what became of its steps; None where it is not known any more."""
    if b"seen" not in kept:
        return None
    trace = Trace.model_validate_json(kept[b"seen"])
    ended = {name.decode(): Step.model_validate_json(step) for name, step in kept.items() if name not in (b"seen", b"said")}
    steps = tuple(ended.pop(f"{step.plugin} {step.route}", step) for step in trace.steps)
    return trace.model_copy(update={"steps": (*steps, *ended.values())})
