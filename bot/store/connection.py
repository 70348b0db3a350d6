"""Connects to Redis and says what is wrong with it. Starting one of our own: `embedded.py`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.connection import HiredisRespSerializer
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.maint_notifications import MaintNotificationsConfig

from bot.errors import StoreError
from bot.store.sentinel import PLAIN, SECURE, Watched, watched

OLDEST = 7
"""Redis 7 is the first with everything the scripts use; Valkey counts on from 7.2."""

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 15.0
"""Longer than the longest blocking read, so that only a dead server trips it."""

PAUSE = 0.2
"""Seconds between two looks at a server that reads its data."""

PROBE = 2.0
"""Seconds in which a store answers that can be worked with."""

MOST_CONNECTIONS = 64

UNDRAINED = 65_536
"""Bytes that a transport takes without asking anybody to wait [asyncio, uvloop]."""

_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": CONNECT_SECONDS,
    "socket_timeout": ANSWER_SECONDS,
    "health_check_interval": 30,
    # With notices of maintenance, which only a hosted Redis sends, redis-py hands out connections that the server has closed.
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    # To tell its name and version, redis-py reads its own metadata for every connection, for 3 ms, and asks two questions more.
    "driver_info": None,
}

_FULL_DISK = "MISCONF"
"""It may also be what a connection hears before the command, and then the client calls it a ConnectionError."""

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def connect(url: str) -> Redis:
    """A client for `url` (redis, rediss, redis+sentinel, rediss+sentinel or unix scheme); connects on first use. Replies are bytes."""
    try:
        service = watched(url)
        pool = FairPool.from_url(url, **_OPTIONS) if service is None else FairSentinelPool.of(service)
    except ValueError as error:
        raise StoreError(f"{shown(url)}: redis.url cannot be understood: {error}") from error
    return Redis.from_pool(pool)


class Lean(AbstractConnection):
    """A connection that packs its commands in C, as redis-py does itself only where nothing awaits, and writes without a task for each.

    A router names all jobs that it follows at each read: 29 µs for 40 of them, 66 µs as the library packs here.
    """

    def pack_command(self, *args: Any) -> list[bytes]:
        """As the library's."""
        return cast("list[bytes]", HiredisRespSerializer().pack(*args))

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """As the library's, which limits the time of every write, and on Python 3.11 begins a task for that. What a transport takes at
        once needs no time, and the answer that is then awaited has a limit of its own.
        """
        if isinstance(command, list) and self.is_connected and asyncio.get_running_loop().time() <= self.next_health_check:
            assert self._writer is not None, "it is connected"
            self._writer.writelines(command)
            if self._writer.transport.get_write_buffer_size() <= UNDRAINED:
                return
            command = b""
        await super().send_packed_command(command, check_health)


class FairPool(ConnectionPool):
    """Who finds all connections in use waits for one, in order of arrival.

    redis-py's own blocking pool lets a newcomer overtake those who wait: in a flood, new messages kept the connections
    and tickets that were as good as done lost their leases (5,000 echoes never ended; in order they take 6 s on two busy cores).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection_class = type(self.connection_class.__name__, (Lean, self.connection_class), {})
        self._slots = asyncio.Semaphore(MOST_CONNECTIONS)
        self._closed = False

    async def get_connection(self, *args: Any, **kwargs: Any) -> Any:
        """A connection that works, once it is this caller's turn."""
        await self._slots.acquire()
        try:
            if self._closed:
                raise RedisConnectionError("the connections are closed")
            connection = self.get_available_connection()  # type: ignore[no-untyped-call]  # redis-py left it bare
        except BaseException:
            self._slots.release()
            raise
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)  # and with it the slot, once: the library's own method comes here too when it fails
            raise
        return connection

    async def release(self, connection: Any) -> None:
        """As the library's, without its lock, events and counts, which nobody here uses; the next in line goes on.

        Of a closed pool nothing stays open.
        """
        try:
            self._in_use_connections.remove(connection)
            if self._closed or connection.should_reconnect():
                await connection.disconnect(nowait=True)
            self._available_connections.append(connection)
        finally:
            self._slots.release()

    async def aclose(self) -> None:
        """Closes all connections, those in use too: their users would connect again, and what they then give back is closed as well."""
        self._closed = True
        await super().aclose()


class FairSentinelPool(FairPool, SentinelConnectionPool):
    """The same, of connections to the server that the Sentinels call the primary when one is opened.

    Who learns of another primary closes the connections to the former one, and one that answers READONLY is closed too.
    """

    @classmethod
    def of(cls, service: Watched) -> FairSentinelPool:
        """Knows its Sentinels, and asks none of them yet."""
        sentinel = Sentinel(service.sentinels, sentinel_kwargs={**_OPTIONS, **service.asking})  # type: ignore[no-untyped-call]  # redis-py left it bare
        return cls(service.service, sentinel, **service.speaking, **_OPTIONS)

    async def get_master_address(self) -> Any:
        """Asks the Sentinels in turn; a connection that a closed pool gave out asks no more."""
        if self._closed:
            raise RedisConnectionError("the connections are closed")
        try:
            return await super().get_master_address()  # type: ignore[no-untyped-call]  # redis-py left it bare
        except MasterNotFoundError as error:
            why = "a failover goes on, none can be reached, or its name or sentinel_password is wrong"
            raise RedisConnectionError(f"no Sentinel names a primary of {self.service_name}: {why}") from error

    async def aclose(self) -> None:
        """The connections to the Sentinels too."""
        await super().aclose()
        await self.sentinel_manager.aclose()


async def check(redis: Redis, url: str) -> None:
    """Raises StoreError when the server is unreachable, refuses us or is too old; the text says what to do."""
    try:
        found = await redis.info("server")
        await _loaded(redis, url)
    except (AuthenticationError, NoPermissionError) as error:
        raise StoreError(f"{shown(url)} refuses the user or password in redis.url: {error}") from error
    except (RedisError, OSError) as error:
        if isinstance(error, ResponseError) or _FULL_DISK in str(error):
            raise StoreError(f"{shown(url)}: {_explained(str(error))}") from error
        raise StoreError(
            f"{shown(url)} cannot be reached: {str(error).rstrip('.')}. Start it, correct redis.url, or leave redis.url unset."
        ) from error
    version = str(found.get("redis_version", "0"))
    if int(version.split(".")[0]) < OLDEST:
        raise StoreError(f"{shown(url)} is Redis {version}: expected Redis {OLDEST} or newer, or Valkey 8 or newer.")


async def _loaded(redis: Redis, url: str) -> None:
    """Waits while the server reads what it had written; with a large append-only file that takes minutes."""
    told = False
    while (await redis.info("persistence")).get("loading"):
        if not told:
            log.info("waiting while the server reads its data", server=shown(url))
        told = True
        await asyncio.sleep(PAUSE)


def shown(url: str) -> str:
    """The address without user and password, for messages and logs."""
    parts = urlsplit(url)
    where = parts.path if parts.scheme == "unix" else parts.netloc.rpartition("@")[2]
    return f"Redis {parts.path[1:]} of the Sentinels at {where}" if parts.scheme in (PLAIN, SECURE) else f"Redis at {where}"


async def unreachable(redis: Redis) -> str:
    """Why the store can take nothing now; "" when it can. It gets `PROBE` seconds to say so."""
    try:
        async with asyncio.timeout(PROBE):
            await _ping(redis)
    except (StoreError, TimeoutError) as error:
        return str(error) or "Redis does not answer"
    return ""


def guarded(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Makes what goes wrong in Redis a StoreError, so that nobody else needs to know its client.

    A cancellation that arrives together with Redis's answer is lost below us (`asyncio.wait_for` of Python 3.11 returns the
    answer instead); it is raised here, so that a task that was told to stop does stop.
    """

    @functools.wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        before = _cancellations()
        try:
            result = await method(*args, **kwargs)
        except (RedisError, OSError) as error:
            _raise_if_cancelled(before)
            if isinstance(error, ResponseError) or _FULL_DISK in str(error):
                raise StoreError(_explained(str(error))) from error
            raise StoreError(f"Redis does not answer: {error or type(error).__name__}") from error
        _raise_if_cancelled(before)
        return result

    return call


async def afresh(redis: Redis) -> None:
    """Closes the connections that nobody uses just now: where one has gone silent, those may have, too. Who needs one connects anew."""
    pool: Any = redis.connection_pool
    for connection in tuple(pool._available_connections):  # the library's own method waits, and then closes what somebody else has opened
        await connection.disconnect(nowait=True)


async def blocking(command: Awaitable[T]) -> T:
    """Awaits a command that blocks, and ends it at once when told to stop.

    The cancellation that is lost below us (see `guarded`) would otherwise be seen only when the command comes back by itself.
    """
    task = asyncio.ensure_future(command)
    try:
        await asyncio.wait((task,))
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait((task,), timeout=0.01)
        if not task.cancelled():
            task.exception()  # who was told to stop does not ask for it, and asyncio would complain
    return task.result()


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _raise_if_cancelled(before: int) -> None:
    if _cancellations() > before:
        raise asyncio.CancelledError


def _explained(fault: str) -> str:
    if fault.startswith("OOM") or "'maxmemory'" in fault:  # the client takes the word away from what a script says
        return "Redis is full: raise its maxmemory."
    if _FULL_DISK in fault:
        return "Redis cannot write to its disk: free some space where it keeps its data."
    if fault.startswith("NOREPLICAS"):
        return "Redis has fewer replicas than its min-replicas-to-write: start one."
    return f"Redis refused a command: {fault}"


@guarded
async def _ping(redis: Redis) -> None:
    await redis.ping()
