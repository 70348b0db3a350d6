"""What handlers do with files through `ctx`, made durable: read, keep, cut, show. What else they do: `acts.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import partial

from pydantic import TypeAdapter

from bot.acts import Canvas, Clip, Paper
from bot.connector import Connector
from bot.errors import ConnectorError, UserError
from bot.messages import Attachment, Audio, Blob, Image, Source
from bot.router.cutting import Recording
from bot.router.deciding import DurableDecisions, blob_json
from bot.router.journal import Journal
from bot.router.stores import Stores
from bot.store.digests import digest_of
from bot.translation import tr

paper_json: TypeAdapter[Paper] = TypeAdapter(Paper)
canvas_json: TypeAdapter[Canvas] = TypeAdapter(Canvas)


class DurableFiles(DurableDecisions):
    """What one run of one ticket does with files."""

    def __init__(self, journal: Journal, stores: Stores, connector: Connector) -> None:
        super().__init__(journal, stores.offices, connector)
        self._stores = stores

    async def read(self, source: Source, limit: int) -> bytes:
        """The same bytes every time, so they need no journal."""
        if source.size > limit:
            raise _too_large(source, limit)
        if isinstance(source, Blob):
            return await self._stores.blobs.get(source)
        content = bytearray()
        async for piece in self._pieces(source):
            content += piece
            if len(content) > limit:
                raise _too_large(source, limit)
        return bytes(content)

    async def _pieces(self, source: Attachment) -> AsyncIterator[bytes]:
        try:
            async for piece in self._connector.read(source):
                yield piece
        except ConnectorError as error:
            raise UserError(tr("I could not get the file “{file}”. Please send it again.", file=source.name or source.id)) from error

    async def keep(self, content: bytes, mime: str, name: str) -> Blob:
        """The blob that was made the first time."""

        entry = self._journal.name("keep", mime, name, digest_of(content))
        return await self._once(blob_json, entry, lambda: self._stores.blobs.put(content, mime, name))

    def clips(self, audio: Audio, longest: float, total: float, ahead: int) -> AbstractAsyncContextManager[AsyncIterator[Clip]]:
        """See `cutting.py`."""
        stores, content = self._stores, lambda: self._pieces_of(audio.source)
        cancel = partial(stores.queue.cancel, self._journal.ticket.id)
        return Recording(audio, content, self._journal, stores.blobs, stores.decoder, cancel).clips(longest, total, ahead)

    async def picture(self, image: Image, side: int) -> Canvas:
        """The picture that was read the first time."""

        async def read() -> Canvas:
            found = await self._stores.pictures.read(self._pieces_of(image.source), side)
            blob = await self._stores.blobs.put(found.png, "image/png", "picture.png")
            return Canvas(blob, found.width, found.height, found.recipe)

        return await self._once(canvas_json, self._journal.name("picture", image.source.id, str(side)), read)

    async def paper(self, source: Source, letters: int) -> Paper:
        """The words that were read the first time."""

        async def read() -> Paper:
            found = await self._stores.papers.read(self._pieces_of(source), letters)
            return Paper(found.text, found.read, found.pages)

        return await self._once(paper_json, self._journal.name("paper", source.id, str(letters)), read)

    async def _pieces_of(self, source: Source) -> AsyncIterator[bytes]:
        if isinstance(source, Blob):
            yield await self._stores.blobs.get(source)
            return
        async for piece in self._pieces(source):
            yield piece


def _too_large(source: Source, limit: int) -> UserError:
    name, most = source.name or tr("you sent"), f"{limit / 1_000_000:.0f}"
    return UserError(tr("The file {name} is too large: at most {most} MB.", name=name, most=most))
