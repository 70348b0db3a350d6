"""Sound files become clips, or smaller files: each is decoded in a limited process that may be killed. In it: `media_worker.py`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import gettempdir, mkstemp
from typing import BinaryIO

import structlog

from bot import media_worker
from bot.confined import confined, fed, library
from bot.errors import Unavailable, UserError
from bot.media_worker import CLIP, END, FAULT, FITTED, HEADER, PLACE, Order
from bot.sounds import RATE
from bot.translation import later, tr, translated

READ = "ogg, opus, webm, m4a, mp4, mp3, wav, flac, aac and amr"

SENTENCES = {
    "empty": later("This file is empty."),
    "unknown": later("This is no sound file that I can read, or it is damaged. I read {read}."),
    "mute": later("This file has no sound track."),
    "codec": later("The sound in this file is stored in a way that I cannot read. I read {read}."),
    "damaged": later("This file is damaged: no sound comes out of it."),
    "large": later("This file is too large: I read at most {size:.0f} MB of sound."),
    "long": later("This recording is too long: I listen to at most {length}."),
    "slow": later("Reading this file took too long, so I stopped."),
    "heavy": later("This file cannot be read: decoding it takes more than a sound file should."),
}
"""What the person is told, by the word that the worker sends."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may take: bytes of input, seconds of sound, seconds of processor, seconds of waiting for it, bytes of memory.

    An hour of Opus decodes in about 10 s; the interpreter with PyAV maps 120 MB before it reads anything. Where more than an hour of sound
    is allowed, so is more processor and waiting, in proportion.
    """

    size: int = 200_000_000
    seconds: float = 3600.0
    cpu: int = 60
    wait: float = 120.0
    memory: int = 1 << 30

    def of(self, seconds: float) -> Limits:
        """Those of a file that may hold so much sound."""
        hours = max(1.0, seconds / 3600)
        return replace(self, seconds=seconds, cpu=round(self.cpu * hours), wait=self.wait * hours)


class Decoder:
    """Decodes `at_once` files at a time, each in its own process; further ones wait. Long ones wait for one another alone."""

    def __init__(self, limits: Limits = Limits(), at_once: int = 2) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(at_once)
        self._long = asyncio.Semaphore()

    async def clips(
        self, content: AsyncIterator[bytes], longest: float, total: float | None = None, after: float = 0.0, *, long: bool = False
    ) -> AsyncGenerator[tuple[bytes, float, float], None]:
        """(16 kHz mono FLAC, its start, its length in seconds) of clips of at most `longest` seconds, cut at quiet places.

        `total` replaces the seconds of sound that the limits allow; clips begin `after` so many seconds. Raises UserError for what
        cannot be decoded or takes too much, and whatever `content` raises.
        """
        if longest < 1.0:
            raise ValueError(f"expected clips of a second or longer, found {longest}")
        limits = self._limits if total is None else self._limits.of(total)
        async with aclosing(self._frames(longest, content, limits, after, self._long if long else self._free)) as frames:
            async for kind, body in frames:
                if kind != CLIP or len(body) < PLACE.size:
                    raise _broken(f"expected a clip, found {kind!r} of {len(body)} bytes")
                start, seconds = PLACE.unpack_from(body)
                yield body[PLACE.size :], start, seconds

    async def fitted(self, content: bytes, most: int) -> bytes:
        """The sound as Opus in an Ogg file of at most so many bytes. Raises UserError for what is none, or too long for that."""

        async def whole() -> AsyncIterator[bytes]:
            yield content

        async with aclosing(self._frames(0.0, whole(), self._limits, 0.0, self._long, most)) as frames:
            async for kind, body in frames:
                if kind == FITTED and len(body) <= most:
                    return body
        raise _broken("nothing came")

    async def _frames(
        self, longest: float, content: AsyncIterator[bytes], limits: Limits, after: float, lane: asyncio.Semaphore, fit: int = 0
    ) -> AsyncGenerator[tuple[bytes, bytes], None]:
        """Everything before the end. The process is gone when this is left, in whatever way."""
        patience = limits.wait
        async with lane, _decoding(content, partial(_order, limits, longest, after, fit)) as (process, feeding):
            while True:
                began = time.monotonic()
                try:
                    async with asyncio.timeout(patience):
                        kind, body = await _frame(process, most=int(longest * RATE * 2) + 100_000 + fit)
                except TimeoutError:
                    raise UserError(translated(SENTENCES["slow"])) from None
                except asyncio.IncompleteReadError:
                    if feeding.done():
                        feeding.result()
                    raise _ended(await process.wait()) from None
                patience -= time.monotonic() - began  # how long the caller takes with a clip is not held against the file
                if kind == END:
                    return
                if kind == FAULT:
                    raise UserError(_sentence(body.decode("ascii", "replace"), limits))
                yield kind, body


@asynccontextmanager
async def _decoding(content: AsyncIterator[bytes], order: Callable[[BinaryIO], str]) -> AsyncIterator[tuple[Process, asyncio.Task[None]]]:
    """A process that is told `order`, and what brings it the content."""
    with _nameless() as (write, file):
        async with confined(media_worker.__name__, order(file), file) as process, fed(process, _written(content, write)) as feeding:
            yield process, feeding


@contextmanager
def _nameless() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A file to write, and the same one to read; it has no name any more, and is gone with those who hold it."""
    with stored():
        handle, path = mkstemp()
    write = os.fdopen(handle, "wb")
    try:
        with Path(path).open("rb") as file:
            Path(path).unlink()
            yield write, file
    finally:
        with suppress(OSError):  # what a full disk did not take is told of already
            write.close()


async def _written(content: AsyncIterator[bytes], to: BinaryIO) -> AsyncIterator[bytes]:
    """The same, once it lies there: whoever is told what has come need not hold it."""
    async for piece in content:
        with stored():
            to.write(piece)
            to.flush()
        yield piece


@contextmanager
def stored() -> Iterator[None]:
    """For dealings with the folder of temporary files: Unavailable where it is full or not ours to write, which the log says."""
    try:
        yield
    except OSError as error:
        log.error("sound cannot be kept in the folder of temporary files", folder=gettempdir(), fault=str(error))
        raise Unavailable(tr("Sound files cannot be read here now. The operator can see why with `hobnob doctor`.")) from error


def _order(limits: Limits, longest: float, after: float, fit: int, file: BinaryIO) -> str:
    found = library("av")
    if found is None:
        raise Unavailable(tr("Sound files cannot be read here now. The operator can see why with `hobnob doctor`."))
    order = Order(found, file.fileno(), longest, limits.size, limits.seconds, limits.cpu, limits.memory, after, fit)
    return json.dumps(asdict(order))


def _sentence(word: str, limits: Limits) -> str:
    return translated(SENTENCES.get(word, SENTENCES["heavy"]), size=limits.size / 1_000_000, length=_length(limits.seconds), read=READ)


def _length(seconds: float) -> str:
    if seconds % 60:
        return tr("{n} second", "{n} seconds", n=round(seconds))
    return tr("{n} minute", "{n} minutes", n=round(seconds / 60))


def _broken(how: str) -> UserError:
    """Killed by a limit, or by a fault in a decoder; nothing it says is trusted further."""
    log.warning("a decoder process failed", how=how)
    return UserError(translated(SENTENCES["heavy"]))


def _ended(code: int) -> UserError:
    """Past its processor time a process is killed; anything else is for the log."""
    return UserError(translated(SENTENCES["slow"])) if code in (-signal.SIGKILL, -signal.SIGXCPU) else _broken(f"it ended with {code}")


async def _frame(process: Process, most: int) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    kind, size = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
    if size > most:
        raise _broken(f"expected at most {most} bytes, found {size}")
    return kind, await process.stdout.readexactly(size)
