"""What the store keeps as records that any Redis or Valkey takes, and back. Archives of them, with files: `bot/backup.py`."""

from __future__ import annotations

import base64
import itertools
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ResponseError, WatchError

from bot.errors import StoreError
from bot.store.connection import guarded
from bot.store.keys import Keys

MACHINE = (
    *("lead:*", "routers", "paced:*", "held:*", "pages", "workers", "worker:*", "reaped"),
    *("wake:*", "work:*", "orders:*", "joiners:*", "out:bell-*"),
)
"""Who lives and who is to wake: true of the machines that ran, and of no other."""

CREDENTIALS = ("session:*", "invite:*", "claim:*", "password")
"""What lets somebody in."""

PASSING = (
    *("ticket:*", "journal:*", "line:*", "leases:*", "ready:*", "cancelled:*", "job:*", "jobs:*", "jobs-of:*"),
    *("out:*", "blob:*"),
    *("tenants:*", "persons:*", "depth", "credit:*", "spent:*", "asked:*", "deadlines", "album:*", "albums-due:*", "filling:*"),
    "versions:*",
)
"""What is under way: while it goes on, no two of these are of the same moment."""

ENDED = "ticket:*"
"""Of these those that have ended stay: by them a repeated event is recognised."""

CHUNK = 100
"""Keys that are read at one moment, at least."""

BINARY = "base64:"

ASIDE = "restoring:"
"""Begins the names of what is being restored, which is no part of the store yet."""

SWAP_SECONDS = 600.0
"""Redis answers nobody while a backup takes its place: 0.7 s for 100,000 small keys at most (n=3), so this is for eighty million."""

OVERTAKEN = "a router or another restore began meanwhile: stop all of them first"
LOST = "the connection to Redis was lost before the backup took its place, so nothing has changed: restore it once more"

GONE = "no such key"
"""What Redis says of a key that is to be renamed, and whose lifetime has ended meanwhile."""

Kind = Literal["string", "hash", "list", "set", "zset", "stream"]


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return BINARY + base64.b64encode(value).decode()
    return BINARY + base64.b64encode(value).decode() if text.startswith(BINARY) else text


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.removeprefix(BINARY), validate=True) if text.startswith(BINARY) else text.encode()


def _placed(key: str) -> str:
    if key.startswith(ASIDE):
        raise ValueError(f"expected no key that begins with {ASIDE}")
    return key


def _writable(text: str) -> str:
    _bytes(text)  # raises ValueError for what is no base64, and for half a character
    return text


Text = Annotated[str, AfterValidator(_writable)]
Fields = Annotated[dict[Text, Text], Field(min_length=1)]
Members = Annotated[list[Text], Field(min_length=1)]
Score = Annotated[float, Field(strict=True, allow_inf_nan=False)] | Literal["inf", "-inf"]
Scored = Annotated[list[tuple[Text, Score]], Field(min_length=1)]
Entries = Annotated[list[tuple[Annotated[str, Field(pattern=r"^\d{1,20}-\d{1,20}$")], Fields]], Field(min_length=1)]

_VALUES: Mapping[Kind, TypeAdapter[Any]] = {
    "string": TypeAdapter(Text),
    "hash": TypeAdapter(Fields),
    "list": TypeAdapter(Members),
    "set": TypeAdapter(Members),
    "zset": TypeAdapter(Scored),
    "stream": TypeAdapter(Entries),
}
"""What each kind of key can hold; one that holds nothing is none."""


class Record(BaseModel):
    """One key below the prefix. `until` is when it goes, in ms since 1970, or None; bytes are text, what is no UTF-8 behind `BINARY`.

    Raises ValueError for what no server could hold. What a server says that it holds is not asked: see `read`.
    """

    model_config = ConfigDict(frozen=True)

    key: Annotated[Text, AfterValidator(_placed)]
    kind: Kind
    until: Annotated[int, Field(ge=0, lt=1 << 63)] | None = None
    value: Any

    @field_validator("value")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        if (kind := info.data.get("kind")) is not None:
            _VALUES[kind].validate_python(value)
        return value


class Dump:
    """Reads and writes all that is below a prefix."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._head = f"{keys.prefix}:"

    async def read(self, *, running: bool, credentials: bool = False) -> AsyncIterator[Record]:
        """Everything that is worth keeping, each key as it was at one moment, and keys of one subject at the same.

        Of a system that is `running` without what is under way. Raises StoreError, also for a key of a kind that none of ours is.
        """
        left_out = (*MACHINE, *(() if credentials else CREDENTIALS), *(PASSING if running else ()))
        for names in _chunks(sorted(await self._names(), key=_subject)):
            wanted = [name for name in names if not _among(name, left_out) or (running and fnmatchcase(name, ENDED))]
            for record in await self._chunk(wanted):
                if not (running and fnmatchcase(record.key, ENDED) and "body" in record.value):
                    yield record

    @guarded
    async def _all(self) -> list[str]:
        found = [name async for name in self._redis.scan_iter(f"{self._head}*", count=1000)]
        return list({_text(cast("bytes", name).removeprefix(self._head.encode())) for name in found})

    async def _names(self) -> list[str]:
        return [name for name in await self._all() if not name.startswith(ASIDE)]

    @guarded
    async def _chunk(self, names: Sequence[str]) -> list[Record]:
        async with self._redis.pipeline(transaction=False) as batch:
            for name in names:
                batch.type(self._key(name))
            kinds = [cast("bytes", kind).decode() for kind in await batch.execute()]
        async with self._redis.pipeline(transaction=True) as batch:
            there = [(name, kind) for name, kind in zip(names, kinds, strict=True) if kind != "none"]
            if foreign := [f"{self._head}{name}" for name, kind in there if kind not in _READ]:
                raise StoreError(f"{foreign[0]} is of no kind that Hobnob writes: remove it, and let nobody else write below {self._head}")
            for name, kind in there:
                batch.execute_command("PEXPIRETIME", self._key(name))
                batch.execute_command(*_reading(kind, self._key(name)))
            found = await batch.execute(raise_on_error=False)
        records = []
        for (name, kind), until, value in zip(there, found[::2], found[1::2], strict=True):
            if (
                until == -2 or isinstance(value, ResponseError) or value in (None, [])
            ):  # it went, is another thing by now, or is an empty stream
                continue
            lasts = until if until > 0 else None
            # Not checked: a check can only be stricter than the server that holds it.
            records.append(Record.model_construct(key=name, kind=cast("Kind", kind), until=lasts, value=_READ[kind](value)))
        return records

    def _key(self, name: str) -> bytes:
        return self._head.encode() + _bytes(name)

    @guarded
    async def write(self, records: Iterable[Record]) -> int:
        """Writes them, and says how many; a key that is there is replaced. Raises StoreError."""
        count = 0
        iterator = iter(records)
        while chunk := list(itertools.islice(iterator, CHUNK)):
            async with self._redis.pipeline(transaction=True) as batch:
                for record in chunk:
                    key = self._key(record.key)
                    batch.delete(key)
                    for command in _WRITTEN[record.kind](key, record.value):
                        batch.execute_command(*command)
                    if record.until is not None:
                        batch.execute_command("PEXPIREAT", key, record.until)
                await batch.execute()
            count += len(chunk)
        return count

    @guarded
    async def replace(self, by: Dump, while_: str) -> None:
        """Puts what is below another prefix in the place of all that is here, at one moment: either all of it, or nothing.

        Raises StoreError; also where the key `while_` is gone, so that not all of it may be there.
        """
        async with self._redis.pipeline(transaction=True) as batch:
            await batch.watch(while_)
            if not await batch.exists(while_):
                raise StoreError(OVERTAKEN)
            here, there = await self._names(), await by._names()
            batch.multi()  # type: ignore[no-untyped-call]  # redis-py left it bare
            for names in _chunks(sorted(here, key=_subject)):
                batch.delete(*(self._key(name) for name in names))
            for name in there:
                batch.rename(by._key(name), self._key(name))
            try:
                with _patient(batch):
                    replies = await batch.execute(raise_on_error=False)
            except WatchError:  # also where the connection was lost, before it took place or with the answer that it did
                if not (marked := await self._redis.exists(while_)) or await by._names():
                    raise StoreError(LOST if marked else OVERTAKEN) from None
                return
        if faults := [one for one in replies if isinstance(one, ResponseError) and str(one) != GONE]:
            raise faults[0]

    @guarded
    async def count(self) -> int:
        """How many keys there are."""
        return len(await self._names())

    @guarded
    async def clear(self) -> None:
        """Removes everything."""
        for names in _chunks(sorted(await self._all(), key=_subject)):
            await self._redis.delete(*(self._key(name) for name in names))

    async def aside(self) -> set[str]:
        """The token of every backup that is being restored, or was until somebody was killed. Raises StoreError."""
        return {name.removeprefix(ASIDE).partition(":")[0] for name in await self._all() if name.startswith(ASIDE)}


@contextmanager
def _patient(batch: Pipeline) -> Iterator[None]:
    """Lets the connection wait for an answer as long as a swap may take; it is closed where that was in vain."""
    connection: Any = batch.connection
    usual, connection.socket_timeout = connection.socket_timeout, SWAP_SECONDS
    try:
        yield
    finally:
        connection.socket_timeout = usual


def _among(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _subject(name: str) -> tuple[str, str]:
    """What a key is about, before its family: what belongs together is read together."""
    family, _, subject = name.partition(":")
    return subject, family


def _chunks(names: Sequence[str]) -> list[list[str]]:
    """In order; keys of one subject stay together."""
    chunks: list[list[str]] = [[]]
    for name in names:
        if len(chunks[-1]) >= CHUNK and _subject(name)[0] != _subject(chunks[-1][-1])[0]:
            chunks.append([])
        chunks[-1].append(name)
    return [chunk for chunk in chunks if chunk]


def _reading(kind: str, key: bytes) -> tuple[Any, ...]:
    ways: dict[str, tuple[Any, ...]] = {
        "string": ("GET", key),
        "hash": ("HGETALL", key),
        "list": ("LRANGE", key, 0, -1),
        "set": ("SMEMBERS", key),
        "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"),
        "stream": ("XRANGE", key, "-", "+"),
    }
    return ways[kind]


_READ: Mapping[str, Callable[[Any], Any]] = {
    "string": _text,
    "hash": lambda value: {_text(name): _text(content) for name, content in value.items()},
    "list": lambda value: [_text(one) for one in value],
    "set": lambda value: sorted(_text(one) for one in value),
    "zset": lambda value: [[_text(member), score if math.isfinite(score) else str(score)] for member, score in value],
    "stream": lambda value: [[_text(id), {_text(name): _text(content) for name, content in fields.items()}] for id, fields in value],
}

_WRITTEN: Mapping[str, Callable[[bytes, Any], list[tuple[Any, ...]]]] = {
    "string": lambda key, value: [("SET", key, _bytes(value))],
    "hash": lambda key, value: [("HSET", key, *(_bytes(word) for pair in value.items() for word in pair))],
    "list": lambda key, value: [("RPUSH", key, *map(_bytes, value))],
    "set": lambda key, value: [("SADD", key, *map(_bytes, value))],
    "zset": lambda key, value: [("ZADD", key, *(word for member, score in value for word in (str(score), _bytes(member))))],
    "stream": lambda key, value: [("XADD", key, id, *(_bytes(word) for pair in fields.items() for word in pair)) for id, fields in value],
}
