"""A recording becomes clips, one by one; the store has those alone that are worked on. Decoding it: `bot/media.py`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from pydantic import TypeAdapter

from bot.acts import Clip
from bot.errors import JobError, UserError
from bot.media import Decoder, stored
from bot.messages import Audio, Blob
from bot.router.journal import Journal
from bot.store.blobs import Blobs

LONG_SECONDS, LONG_SIZE = 120.0, 2 << 20
"""Of a recording that is decoded in a lane of its own, by what it says of itself; size in bytes."""

IN_MEMORY = 4 << 20
"""Bytes of decoded sound that are held in memory; more go to a file without a name, which is gone with the process."""

clip_json: TypeAdapter[Clip] = TypeAdapter(Clip)

Cut = tuple[bytes, float, float]
"""FLAC, its start and its length in seconds."""

Fail = Callable[[Exception], None]
"""Ends the work on a recording that turns out to be at fault, whatever it is waiting for."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Sound of a message, with what is needed to cut it; `content` gives its bytes, from the beginning at every call."""

    audio: Audio
    content: Callable[[], AsyncIterator[bytes]]
    journal: Journal
    blobs: Blobs
    decoder: Decoder
    cancel: Callable[[], Awaitable[None]]
    """Ends the jobs of the ticket."""

    @asynccontextmanager
    async def clips(self, longest: float, total: float, ahead: int) -> AsyncIterator[AsyncIterator[Clip]]:
        """See `Context.clips`. A run that comes again is given the clips of the one before, and cuts on from the last of them."""
        kept: deque[Blob] = deque()
        try:
            async with self._unless_at_fault() as fail, aclosing(self._clips(longest, total, ahead, kept, fail)) as clips:
                yield clips
        except (UserError, JobError):
            await self.cancel()
            await self.blobs.forget(list(kept))
            raise
        # A run that is cut off leaves what is worked on to the one that takes over.
        await self.blobs.forget(list(kept))

    @asynccontextmanager
    async def _unless_at_fault(self) -> AsyncIterator[Fail]:
        """What is too long or damaged is refused when that is found out, not when the work has come that far."""
        found: list[Exception] = []

        def fail(fault: Exception) -> None:
            found.append(fault)
            scope.reschedule(asyncio.get_running_loop().time())

        try:
            async with asyncio.timeout(None) as scope:
                yield fail
        except TimeoutError:
            if found:
                raise found[0] from None
            raise

    async def _clips(self, longest: float, total: float, ahead: int, kept: deque[Blob], fail: Fail) -> AsyncGenerator[Clip, None]:
        async with aclosing(self._numbered(longest, total, kept, fail)) as clips:
            async for clip in clips:
                yield clip
                while len(kept) >= ahead:
                    await self.blobs.forget([kept.popleft()])

    async def _numbered(self, longest: float, total: float, kept: deque[Blob], fail: Fail) -> AsyncGenerator[Clip, None]:
        number, end = 0, 0.0
        while (found := self.journal.find(name := self._name(longest, total, number))) is not None:
            if not found:
                return
            clip = clip_json.validate_json(found)
            kept.append(clip.audio)
            yield clip
            number, end = number + 1, clip.start + clip.seconds
        async with aclosing(self._cut(longest, total, end, fail)) as cuts:
            async for content, start, seconds in cuts:
                clip = Clip(await self.blobs.put(content, "audio/flac", "clip.flac"), start, seconds)
                kept.append(clip.audio)  # at once: a fault of what is read meanwhile ends whatever is awaited
                await self.journal.write(name, clip_json.dump_json(clip))
                yield clip
                number += 1
                name = self._name(longest, total, number)
        await self.journal.write(name, b"")

    def _name(self, longest: float, total: float, number: int) -> str:
        return self.journal.name("clip", self.audio.source.id, str(longest), str(total), str(number))

    async def _cut(self, longest: float, total: float, after: float, fail: Fail) -> AsyncGenerator[Cut, None]:
        """Decodes as fast as it goes, so that the process that does it is free again, however long the work on the clips takes."""
        long = self.audio.seconds > LONG_SECONDS or self.audio.source.size > LONG_SIZE
        spool = Spool(fail)
        filling = asyncio.create_task(spool.fill(self.decoder.clips(self.content(), longest, total, after, long=long)))
        try:
            while (cut := await spool.next()) is not None:
                yield cut
        finally:
            filling.cancel()
            with suppress(asyncio.CancelledError):
                await filling
            spool.close()


class Spool:
    """What was decoded and nobody has asked for yet. Where the disk is full, both ends raise Unavailable."""

    def __init__(self, fail: Fail) -> None:
        self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  closed by `close`
        self._fail = fail
        self._places: deque[tuple[int, int, float, float]] = deque()
        self._news = asyncio.Event()
        self._ended = False

    async def fill(self, cuts: AsyncGenerator[Cut, None]) -> None:
        """Takes everything that comes."""
        try:
            async with aclosing(cuts):
                async for content, start, seconds in cuts:
                    with stored():
                        at = self._file.seek(0, 2)
                        self._file.write(content)
                        self._file.flush()
                    self._places.append((at, len(content), start, seconds))
                    self._news.set()
        except Exception as fault:
            self._fail(fault)
            return
        self._ended = True
        self._news.set()

    async def next(self) -> Cut | None:
        """The oldest, as soon as there is one; None behind the last."""
        while not self._places and not self._ended:
            self._news.clear()
            await self._news.wait()
        if not self._places:
            return None
        at, size, start, seconds = self._places.popleft()
        with stored():
            self._file.seek(at)
            return self._file.read(size), start, seconds

    def close(self) -> None:
        """The file is gone."""
        with suppress(OSError):  # what a full disk did not take is told of already
            self._file.close()
