"""Files of rooms, on disk: kept, read and told apart by their first bytes. Which message holds which file is in `rooms.py`."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import re
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import BinaryIO

from bot.errors import StoreError, UserError
from bot.messages import Attachment
from bot.translation import tr

LARGEST = 25 * 1024 * 1024
"""Bytes of one file."""

KEPT = 30 * 86_400
"""Seconds a file is kept, as long as the messages that show it."""

PIECE = 256 * 1024
SNIFFED = 4096
"""Bytes at the beginning of a file that say what it is."""

_ID = re.compile(r"[0-9a-f]{32}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u202a-\u202e\u2066-\u2069]+')

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
)


class Uploads:
    """Keeps files under ids that nobody can guess; `largest` in bytes."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self._folder = folder
        self._largest = largest

    async def keep(self, pieces: AsyncIterable[bytes], name: str) -> Attachment:
        """Writes a file piece by piece. What it is decides its content, never its name.

        Raises UserError when it is empty or too large, and when the disk is full.
        """
        return await self._keep(secrets.token_hex(16), pieces, name)

    async def put(self, content: bytes, name: str) -> Attachment:
        """Keeps bytes that are at hand already; the same bytes get the same id, so that keeping them twice changes nothing."""

        async def whole() -> AsyncIterator[bytes]:
            yield content

        return await self._keep(hashlib.blake2b(content, digest_size=16).hexdigest(), whole(), name)

    async def _keep(self, id: str, pieces: AsyncIterable[bytes], name: str) -> Attachment:
        part = self._folder / f"{secrets.token_hex(16)}.part"
        try:
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
            size, head = await self._write(part, pieces, name)
            await asyncio.to_thread(part.rename, self._folder / id)
        except OSError as error:
            raise _explained(error, name) from error
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        return Attachment(id, sniff(head), size, safe(name))

    async def _write(self, part: Path, pieces: AsyncIterable[bytes], name: str) -> tuple[int, bytes]:
        size, head = 0, b""
        with await asyncio.to_thread(part.open, "wb") as file:
            async for piece in pieces:
                size += len(piece)
                if size > self._largest:
                    raise UserError(
                        tr(
                            "{file} is larger than {most} MB, the most that a file may have here.",
                            file=safe(name),
                            most=self._largest >> 20,
                        )
                    )
                head += piece[: max(0, SNIFFED - len(head))]
                await asyncio.to_thread(file.write, piece)
        if not size:
            raise UserError(tr("{file} is empty.", file=safe(name)))
        return size, head

    async def find(self, id: str, name: str) -> Attachment:
        """The file of that id under a name; UserError when it is not there any more."""
        path = self.path(id)
        return await asyncio.to_thread(_described, path, id, safe(name))

    async def read(self, id: str) -> AsyncIterator[bytes]:
        """The file's bytes, in pieces; UserError when it is not there any more."""
        with await asyncio.to_thread(self.path(id).open, "rb") as file:
            while piece := await asyncio.to_thread(_piece, file):
                yield piece

    def path(self, id: str) -> Path:
        """Where the file lies; UserError when it is not there any more."""
        path = self._folder / id
        if not _ID.fullmatch(id) or not path.is_file():
            raise UserError(tr("That file is not kept any more: files stay for 30 days."))
        return path

    def sweep(self, now: float | None = None) -> int:
        """Removes files older than 30 days and torn uploads older than a day; returns how many. Blocks: run it in a thread."""
        now = time.time() if now is None else now
        old = [path for path in self._folder.glob("*") if now - _changed(path, now) > (86_400 if path.suffix else KEPT)]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _changed(path: Path, now: float) -> float:
    """When the file changed; one that got its name in the meantime is as new as can be."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return now


def safe(name: str) -> str:
    """A file name without folders, control characters or tricks of writing direction; at most 120 characters."""
    plain = _UNSAFE.sub("_", name).strip(" .") or "file"
    stem, dot, ending = plain.rpartition(".")
    return f"{stem[: 119 - len(ending)]}.{ending}" if dot and len(ending) <= 12 else plain[:120]


def sniff(head: bytes) -> str:
    """The media type that the first bytes of a file prove; `application/octet-stream` when they prove nothing."""
    for at, magic, mime in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return mime
    if head.startswith(b"OggS"):
        return "video/ogg" if b"theora" in head else "audio/ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        tracks = head.partition(b"\x1f\x43\xb6\x75")[0]  # behind that lies the sound itself, in which any two bytes may stand
        return "video/webm" if b"V_" in tracks else "audio/webm"
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" or (b"soun" in head and b"vide" not in head) else "video/mp4"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # the sync word of MPEG layer III
        return "audio/mpeg"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # that of AAC, where the layer is none
        return "audio/aac"
    return "text/plain" if _is_text(head) else "application/octet-stream"


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and error.reason == "unexpected end of data"
    return b"\0" not in head


def _described(path: Path, id: str, name: str) -> Attachment:
    with path.open("rb") as file:
        return Attachment(id, sniff(file.read(SNIFFED)), path.stat().st_size, name)


def _piece(file: BinaryIO) -> bytes:
    return file.read(PIECE)


def _explained(error: OSError, name: str) -> UserError | StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            tr("{file} could not be kept: the disk of this Hobnob is full. Its operator has to free some space.", file=safe(name))
        )
    return StoreError(f"{safe(name)} could not be written to the data directory: {error}")
