"""Commands that travel together, without the library's bookkeeping for each. Connections: `connection.py`; scripts: `scripts.py`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

Command = Sequence[str | bytes | int | float]


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
