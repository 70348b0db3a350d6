"""Commands that travel together, without the library's bookkeeping for each. Connections: `connection.py`; scripts: `scripts.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import Context
from functools import partial
from typing import Any, ClassVar, cast
from weakref import WeakKeyDictionary

from hiredis import pack_command
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

LESS = 0.1
"""The part of its time that an answer may lack, so that there is no timer for each."""

Command = Sequence[str | bytes | int | float]

Entries = list[tuple[bytes, dict[bytes, bytes]]]
"""Of a stream: ids, and the fields of each."""

Awaited = tuple[bytes, asyncio.Future[Any]]
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
        packed, loop = _packed(command), asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._moment.append((packed, answer))
        if len(self._moment) == 1:  # tasks that were begun at this moment have not asked yet, and have by the turn after the next
            loop.call_soon(loop.call_soon, self._begin)
        return await answer

    def _begin(self) -> None:
        """No task takes the moment: one that is cancelled before it begins would leave it lying, and nobody would be sent any more."""
        calls = [call for call in self._moment if not call[1].done()]
        self._moment.clear()
        task = asyncio.create_task(self._send(calls), context=Context())  # it is nobody's alone: who called first may be ended
        self._sending.add(task)
        task.add_done_callback(partial(self._sent, calls))

    async def _send(self, calls: Sequence[Awaited]) -> None:
        try:
            found = await _sent(self._redis, [packed for packed, _ in calls])
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
    return await _sent(redis, [_packed(command) for command in commands])


async def answered(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The same for who cannot use an error: raises the first ResponseError among the answers."""
    found = await exchange(redis, commands)
    for one in found:
        if isinstance(one, ResponseError):
            raise one
    return found


async def entries(
    redis: Redis, after: Mapping[str, str | bytes], *, block: int | None = None, count: int | None = None
) -> dict[str, Entries]:
    """What stands in streams behind these entries, where something does; waits up to `block` milliseconds for the first of it.

    Who follows an answer reads for each word of it: what the library does around a read takes longer than the read.
    """
    options = [*(("COUNT", count) if count is not None else ()), *(("BLOCK", block) if block is not None else ())]
    (found,) = await answered(redis, [("XREAD", *options, "STREAMS", *after, *after.values())])
    return {
        name.decode(): [(id, dict(zip(said[::2], said[1::2], strict=True))) for id, said in some]
        for name, some in dict(found or ()).items()
    }


def _packed(command: Command) -> bytes:
    """As it travels; raises what keeps it from being sent. The library looks for words in its name and at each argument first."""
    return cast("bytes", pack_command(tuple(command)))  # type: ignore[arg-type]  # its stub has one argument


async def _sent(redis: Redis, commands: list[bytes]) -> list[Any]:
    """The answers to packed commands; a connection that fails is closed."""
    pool: Any = redis.connection_pool
    connection = await pool.get_connection()
    try:
        await connection.send_packed_command(commands)
        return await _answers(connection, len(commands))
    except (RedisError, OSError):
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)


async def _answers(connection: Any, count: int) -> list[Any]:
    """So many, each in its time, by one timer: the library begins one for each, though most have come together with the first."""
    limit, now, found = connection.socket_timeout, asyncio.get_running_loop().time, list[Any]()
    begun, connection.socket_timeout = now(), None
    try:
        async with asyncio.timeout(limit) as silence:
            for _ in range(count):
                found.append(await _answer(connection))
                if limit is not None and now() - begun > LESS * limit:
                    begun = now()
                    silence.reschedule(begun + limit)
    except TimeoutError as error:
        raise RedisTimeoutError(f"nothing was heard for {limit} s") from error
    finally:
        connection.socket_timeout = limit
    return found


async def _answer(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
