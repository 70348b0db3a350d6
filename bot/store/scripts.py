"""Runs the Lua scripts beside this file. What they do is said at the top of each."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, ResponseError

from bot.store.exchanging import exchange

WHEN_FULL = frozenset(
    {
        *("queue_claim", "queue_renew", "queue_emit", "queue_finish", "queue_release", "queue_reap", "queue_park", "queue_loaded"),
        *("queue_cancel", "queue_drop", "ticket_claim", "ticket_renew", "ticket_record", "ticket_finish", "ticket_release", "room_edit"),
        "album_done",
    }
)
"""Scripts that run even when Redis has no memory left: what was accepted comes to its end, and that frees some."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A script that somebody called, and the answer that is awaited."""

    script: Script
    keys: Sequence[Any]
    args: Sequence[Any]
    answer: asyncio.Future[Any]


class Scripts:
    """Scripts, called by their hashes, and by their texts when the server has forgotten them.

    Calls of one moment travel together and in order, in one write and one read: most of what a call costs is the way.
    A caller that is cancelled does not hold up the others, and its call may have been made.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._calls: list[Call] = []
        self._sending: set[asyncio.Task[None]] = set()

    def __call__(self, name: str, *before: str, when_full: bool = False) -> Script:
        """The script `lua/NAME.lua`, behind those that define what it uses; see WHEN_FULL."""
        return Script(self, source(name, *before, when_full=when_full))

    async def call(self, script: Script, keys: Sequence[Any], args: Sequence[Any]) -> Any:
        """What the script returns for these."""
        call = Call(script, keys, args, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        if len(self._calls) == 1:
            task = asyncio.create_task(self._send(), context=Context())  # it is nobody's alone: who called first may be ended
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return await call.answer

    async def _send(self) -> None:
        calls, self._calls = [call for call in self._calls if not call.answer.done()], []
        try:
            found = await self._answers(calls)
        except BaseException as error:
            _settle(calls, [error] * len(calls))
            if not isinstance(error, Exception):
                raise
        else:
            _settle(calls, found)

    async def _answers(self, calls: Sequence[Call]) -> Sequence[Any]:
        commands = [("EVALSHA", call.script.sha, len(call.keys), *call.keys, *call.args) for call in calls]
        found = await exchange(self._redis, commands)
        return [await self._again(call) if isinstance(one, NoScriptError) else one for call, one in zip(calls, found, strict=True)]

    async def _again(self, call: Call) -> Any:
        """By its text, which also loads it: between a load of its own and the call it might be forgotten once more."""
        try:
            return await self._redis.eval(call.script.text, len(call.keys), *call.keys, *call.args)
        except ResponseError as error:
            return error


class Script:
    """One of them."""

    def __init__(self, scripts: Scripts, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._scripts = scripts

    async def __call__(self, *, keys: Sequence[Any] = (), args: Sequence[Any] = ()) -> Any:
        """What the script returns for these."""
        return await self._scripts.call(self, keys, args)


def _settle(calls: Sequence[Call], found: Sequence[Any]) -> None:
    for answer, one in zip((call.answer for call in calls), found, strict=True):
        if answer.done():
            continue
        if isinstance(one, asyncio.CancelledError):
            answer.cancel()
        elif isinstance(one, BaseException):
            answer.set_exception(one)
        else:
            answer.set_result(one)


@cache
def source(name: str, *before: str, when_full: bool = False) -> str:
    """The text of a script, behind those that define what it uses."""
    head = ["#!lua flags=allow-oom"] if when_full or name in WHEN_FULL else []
    return "\n".join([*head, *(files("bot.store").joinpath("lua", f"{part}.lua").read_text() for part in (*before, name))])
