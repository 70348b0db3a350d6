"""Runs the Lua scripts beside this file. What they do is said at the top of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Call = tuple[Sequence[Any], Sequence[Any]]
"""Keys and arguments."""


class Script:
    """A script, called by its hash and loaded again when the server has forgotten it.

    Calls of one moment travel together, in one write and one read: most of what a call costs is the way.
    A caller that is cancelled does not hold up the others, and its call may have been made.
    """

    def __init__(self, redis: Redis, text: str) -> None:
        self._redis = redis
        self._script = redis.register_script(text)
        self._calls: list[tuple[Call, asyncio.Future[Any]]] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def __call__(self, *, keys: Sequence[Any] = (), args: Sequence[Any] = ()) -> Any:
        """What the script returns for these."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls.append(((keys, args), answer))
        if len(self._calls) == 1:
            task = asyncio.create_task(self._send())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return await answer

    async def _send(self) -> None:
        calls, self._calls = [call for call in self._calls if not call[1].done()], []
        try:
            found = await self._answers([call for call, _ in calls])
        except BaseException as error:
            _settle(calls, [error] * len(calls))
            if not isinstance(error, Exception):
                raise
        else:
            _settle(calls, found)

    async def _answers(self, calls: Sequence[Call]) -> Sequence[Any]:
        if len(calls) == 1:
            return [await self._script(*calls[0])]
        async with self._redis.pipeline(transaction=False) as batch:
            for keys, args in calls:
                batch.evalsha(self._script.sha, len(keys), *keys, *args)
            found = await batch.execute(raise_on_error=False)
        return [await self._script(*call) if isinstance(one, NoScriptError) else one for call, one in zip(calls, found, strict=True)]


def _settle(calls: Sequence[tuple[Call, asyncio.Future[Any]]], found: Sequence[Any]) -> None:
    for (_, answer), one in zip(calls, found, strict=True):
        if answer.done():
            continue
        if isinstance(one, asyncio.CancelledError):
            answer.cancel()
        elif isinstance(one, BaseException):
            answer.set_exception(one)
        else:
            answer.set_result(one)


def script(redis: Redis, name: str, *before: str) -> Script:
    """The script `lua/NAME.lua`."""
    return Script(redis, source(name, *before))


def source(name: str, *before: str) -> str:
    """The text of a script, behind those that define what it uses."""
    return "\n".join(files("bot.store").joinpath("lua", f"{part}.lua").read_text() for part in (*before, name))
