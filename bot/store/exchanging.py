"""Commands that travel together, without the library's bookkeeping for each. Connections: `connection.py`; scripts: `scripts.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context
from functools import partial
from typing import Any, ClassVar, cast
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.exceptions import ResponseError

Command = Sequence[str | bytes | int | float]

Awaited = tuple[Command, asyncio.Future[Any]]


class Exchange:
    """Commands that several parts of a process give at one moment travel together and in order, in one write and one read: most of what
    a command costs is the way.

    A caller that is cancelled does not hold up the others, and its command may have been carried out.
    """

    _moments: ClassVar[WeakKeyDictionary[Redis, list[Awaited]]] = WeakKeyDictionary()
    """By client, what is to be sent next."""
    _sending: ClassVar[set[asyncio.Task[None]]] = set()

    def __init__(self, redis: Redis) -> None:
        """All of one client are one."""
        self._redis = redis
        self._moment = self._moments.setdefault(redis, [])

    async def __call__(self, *command: str | bytes | int | float) -> Any:
        """The answer; raises the ResponseError that is one."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._moment.append((command, answer))
        if len(self._moment) == 1:
            task = asyncio.create_task(self._send(), context=Context())  # it is nobody's alone: who called first may be ended
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return await answer

    async def _send(self) -> None:
        await asyncio.sleep(0)  # what was begun at this moment as a task of its own has not asked yet
        calls = [(command, answer) for command, answer in self._moment if not answer.done()]
        self._moment.clear()
        try:
            found = await exchange(self._redis, [command for command, _ in calls])
        except BaseException as error:
            _settle(calls, [error] * len(calls))
            if not isinstance(error, Exception):
                raise
        else:
            _settle(calls, found)


def _settle(calls: Sequence[Awaited], found: Sequence[Any]) -> None:
    for (_, answer), one in zip(calls, found, strict=True):
        if answer.done():
            continue
        if isinstance(one, asyncio.CancelledError):
            answer.cancel()
        elif isinstance(one, BaseException):
            answer.set_exception(one)
        else:
            answer.set_result(one)


async def exchange(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The answers to commands that travel together, in their order; an error that is an answer is one of them. They are no transaction.

    Tried again where the connection fails, as the library's pipeline does, whose bookkeeping for each command is what this leaves out.
    """
    pool: Any = redis.connection_pool
    connection = await pool.get_connection()
    try:
        sent = partial(_exchanged, connection, commands)
        return cast("list[Any]", await connection.retry.call_with_retry(sent, lambda error: connection.disconnect(error=error)))
    finally:
        await pool.release(connection)


async def answered(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The same for who cannot use an error: raises the first ResponseError among the answers."""
    found = await exchange(redis, commands)
    for one in found:
        if isinstance(one, ResponseError):
            raise one
    return found


async def _exchanged(connection: Any, commands: Sequence[Command]) -> list[Any]:
    await connection.send_packed_command([piece for command in commands for piece in connection.pack_command(*command)])
    return [await _answer(connection) for _ in commands]


async def _answer(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
