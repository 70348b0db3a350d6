"""PDFs of strangers become words: each is read in a limited process that may be killed. What runs in it: `papers_worker.py`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from bot import papers_worker
from bot.confined import confined, fed, heard, library
from bot.errors import Unavailable, UserError
from bot.papers_worker import Order
from bot.translation import later, tr, translated

SENTENCES = {
    "empty": later("This PDF is an empty file."),
    "damaged": later("This is no PDF that I can read, or it is damaged."),
    "locked": later("This PDF is locked with a password."),
    "wordless": later("This PDF has no words in it: it may consist of pictures of pages."),
    "large": later("This PDF is too large: I read at most {size:.0f} MB."),
    "heavy": later("This PDF takes more to read than a text should, so I stopped."),
}
"""What the person is told, by the word that the worker sends."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one PDF may take: bytes, pages, seconds of processor, seconds of waiting for it, bytes of memory.

    A page of text takes about 20 ms; pages beyond what a model can be shown are not read.
    """

    size: int = 20 << 20
    pages: int = 200
    cpu: int = 20
    wait: float = 60.0
    memory: int = 512 << 20


class Facts(BaseModel):
    """The words of the first `read` of so many pages; it has read a stranger's file, so it is believed no further than this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = ""
    read: int = 0
    pages: int = 0
    fault: str = ""


class Papers:
    """Reads `at_once` PDFs at a time, each in its own process; further ones wait."""

    def __init__(self, limits: Limits = Limits(), at_once: int = 2) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(at_once)

    async def read(self, content: AsyncIterator[bytes], letters: int) -> Facts:
        """At most `letters` of its text. Raises UserError for what cannot be read, and whatever `content` raises."""
        order = json.dumps(asdict(self._order(letters)))
        async with self._free, confined(papers_worker.__name__, order) as process, fed(process, content) as feeding:
            try:
                async with asyncio.timeout(self._limits.wait):
                    said = await heard(process, 8 * letters + 10_000)
            except TimeoutError:
                raise UserError(translated(SENTENCES["heavy"])) from None
            if feeding.done():
                feeding.result()
        return self._paper(said)

    def _order(self, letters: int) -> Order:
        found = library("pypdf")
        if found is None:
            raise Unavailable(tr("PDFs cannot be read here now. The operator can see why with `hobnob doctor`."))
        limits = self._limits
        return Order(found, letters, limits.pages, limits.size, limits.cpu, limits.memory)

    def _paper(self, said: bytes) -> Facts:
        try:
            paper = Facts.model_validate_json(said)
        except ValidationError:  # killed by a limit, or by a fault
            log.warning("a process that read a PDF failed", said=len(said))
            paper = Facts(fault="heavy")
        if paper.fault:
            raise UserError(translated(SENTENCES.get(paper.fault, SENTENCES["damaged"]), size=self._limits.size / 1_000_000))
        return paper
