"""Pictures of strangers become clean PNGs: each is read in a limited process that may be killed. What runs in it: `pictures_worker.py`."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from bot import pictures_worker
from bot.confined import confined, fed, library
from bot.errors import Unavailable, UserError
from bot.pictures_worker import Order
from bot.translation import later, tr, translated

READ = "PNG, JPEG, WebP and GIF"

SENTENCES = {
    "empty": later("This picture's file is empty."),
    "unknown": later("This is no picture that I can read, or it is damaged. I read {read}."),
    "damaged": later("This picture is damaged: it ends too early, or makes no sense."),
    "large": later("This picture's file is too large: I read at most {size:.0f} MB."),
    "vast": later("This picture is too large: I read at most {pixels:.0f} million pixels."),
    "slow": later("Reading this picture took too long, so I stopped."),
}
"""What the person is told, by the word that the worker sends."""

LARGEST = 4096
"""Pixels of the longest side of a picture that is only made to fit: what a chat shows is smaller."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may take: bytes, pixels, seconds of processor, seconds of waiting for it, bytes of memory.

    50 million pixels are what the largest phones take; they unpack to 200 MB, and half a gigabyte is needed to turn them.
    """

    size: int = 25 << 20
    pixels: int = 50_000_000
    cpu: int = 20
    wait: float = 60.0
    memory: int = 1 << 30


class Facts(BaseModel):
    """What the worker says; it has read a stranger's file, so it is believed no further than this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = 0
    height: int = 0
    recipe: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A picture as a PNG without anything else in it; a JPEG where it was to fit.

    `recipe` is what its file says of how it was drawn, "" for nothing.
    """

    png: bytes
    width: int
    height: int
    recipe: str


class Pictures:
    """Reads `at_once` pictures at a time, each in its own process; further ones wait."""

    def __init__(self, limits: Limits = Limits(), at_once: int = 2) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(at_once)

    async def read(self, content: AsyncIterator[bytes], side: int) -> Read:
        """The picture, no side of it longer than `side` pixels. Raises UserError for what cannot be read, and whatever `content` raises."""
        return await self._read(content, self._order(side), side)

    async def fitted(self, content: bytes, most: int) -> bytes:
        """The picture as a JPEG of at most so many bytes. Raises UserError for what is none, or too vast to be made smaller."""

        async def whole() -> AsyncIterator[bytes]:
            yield content

        return (await self._read(whole(), replace(self._order(LARGEST), most=most, size=len(content)), LARGEST)).png

    async def _read(self, content: AsyncIterator[bytes], what: Order, side: int) -> Read:
        order = json.dumps(asdict(what))
        async with self._free, confined(pictures_worker.__name__, order) as process, fed(process, content) as feeding:
            try:
                async with asyncio.timeout(self._limits.wait):
                    said = await self._said(process, side)
            except TimeoutError:
                raise UserError(translated(SENTENCES["slow"])) from None
            if feeding.done():
                feeding.result()
            return said

    def _order(self, side: int) -> Order:
        found = library("PIL")
        if found is None:
            raise Unavailable(tr("Pictures cannot be read here now. The operator can see why with `hobnob doctor`."))
        limits = self._limits
        return Order(found, side, limits.size, limits.pixels, limits.cpu, limits.memory)

    async def _said(self, process: Process, side: int) -> Read:
        assert process.stdout is not None
        out = await process.stdout.read(4 * side * side + (1 << 18))
        while piece := await process.stdout.read(1 << 18):
            out += piece
            if len(out) > 4 * side * side + (1 << 18):
                raise self._broken("it says too much")
        head, _, png = out.partition(b"\n")
        try:
            facts = Facts.model_validate_json(head)
        except ValidationError:
            raise self._broken(f"it ended with {await process.wait()}") from None
        if facts.fault:
            raise UserError(self._sentence(facts.fault))
        return Read(png, facts.width, facts.height, facts.recipe)

    def _broken(self, how: str) -> UserError:
        """Killed by a limit, or by a fault in a decoder."""
        log.warning("a process that read a picture failed", how=how)
        return UserError(self._sentence("vast"))

    def _sentence(self, word: str) -> str:
        sentence = SENTENCES.get(word, SENTENCES["damaged"])
        return translated(sentence, size=self._limits.size / 1e6, pixels=self._limits.pixels / 1e6, read=READ)
