"""Commands that travel together, without the library's bookkeeping for each. Connections: `connection.py`; scripts: `scripts.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context
from functools import partial
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from bot.store.connection import packed

Command = Sequence[str | bytes | int | float]

Awaited = tuple[list[bytes], asyncio.Future[Any]]
"""A command as it travels, and its answer."""


class Exchange:
    """Commands that several parts of a process give at one moment travel together and in order, in one write and one read: most of what
    a command costs is the way.

    A caller that is cancelled does not hold up the others, and its command may have been carried out. A connection that dies without a
    word holds up all who asked at that moment, until its own time limit.
    """

    _moments: ClassVar[WeakKeyDictionary[Redis, list[Awaited]]] = WeakKeyDictionary()
    """By client, what is to be sent next."""
    _sending: ClassVar[set[asyncio.Task[None]]] = set()

    def __init__(self, redis: Redis) -> None:
        """All of one client are one."""
        self._redis = redis
        self._moment = self._moments.setdefault(redis, [])

    async def __call__(self, *command: str | bytes | int | float) -> Any:
        """The answer; raises the ResponseError that is one, and at once what keeps the command from being sent."""
        pieces, loop = packed(*command), asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._moment.append((pieces, answer))
        if len(self._moment) == 1:  # tasks that were begun at this moment have not asked yet, and have by the turn after the next
            loop.call_soon(loop.call_soon, self._begin)
        return await answer

    def _begin(self) -> None:
        """No task takes the moment: one that is cancelled before it begins would leave it lying, and nobody would be sent any more."""
        calls = [(pieces, answer) for pieces, answer in self._moment if not answer.done()]
        self._moment.clear()
        task = asyncio.create_task(self._send(calls), context=Context())  # it is nobody's alone: who called first may be ended
        self._sending.add(task)
        task.add_done_callback(partial(self._sent, calls))

    async def _send(self, calls: Sequence[Awaited]) -> None:
        try:
            found = await _sent(self._redis, [piece for pieces, _ in calls for piece in pieces], len(calls))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # whoever asked hears of it, whatever it is
            found = [error] * len(calls)
        for (_, answer), one in zip(calls, found, strict=True):
            if answer.done():
                continue
            if isinstance(one, BaseException):
                answer.set_exception(one)
            else:
                answer.set_result(one)

    def _sent(self, calls: Sequence[Awaited], task: asyncio.Task[None]) -> None:
        """Where the sending was cancelled, so are those who wait for it."""
        self._sending.discard(task)
        for _, answer in calls:
            answer.cancel()


async def exchange(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The answers to commands that travel together, in their order; an error that is an answer is one of them. They are no transaction.

    Without the library's bookkeeping for each command. Nothing is tried again: it may have been carried out.
    """
    return await _sent(redis, [piece for command in commands for piece in packed(*command)], len(commands))


async def answered(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The same for who cannot use an error: raises the first ResponseError among the answers."""
    found = await exchange(redis, commands)
    for one in found:
        if isinstance(one, ResponseError):
            raise one
    return found


async def _sent(redis: Redis, pieces: list[bytes], answers: int) -> list[Any]:
    """The answers to packed commands; a connection that fails is closed."""
    pool: Any = redis.connection_pool
    connection = await pool.get_connection()
    try:
        await connection.send_packed_command(pieces)
        return [await _answer(connection) for _ in range(answers)]
    except (RedisError, OSError):
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)


async def _answer(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
