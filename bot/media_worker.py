"""Decodes one sound file in a process that can only read its input and write clips, or a smaller file. What starts it: `media.py`.

How files are decoded: `sounds.py`.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from dataclasses import dataclass

from bot.confining import ordered, shut
from bot.sounds import RATE, Fault, clips, fitted, flac, frames, opened, samples

HEADER = struct.Struct(">cI")
"""Every frame on standard output: what it is, and how many bytes follow."""

PLACE = struct.Struct(">dd")
"""A clip's start and length in seconds, before its FLAC."""

CLIP, FITTED, FAULT, END = b"c", b"o", b"f", b"e"


@dataclass(frozen=True, slots=True)
class Order:
    """What to do and within which limits. `library` is the folder that PyAV lies in, `file` the descriptor of what standard input brings.

    `size` and `memory` are in bytes, the other limits in seconds; the first clip begins `after` so many. With `most` an Ogg file of at
    most so many bytes is written instead.
    """

    library: str
    file: int
    longest: float
    size: int
    seconds: float
    cpu: int
    memory: int
    after: float = 0.0
    most: int = 0


class Arriving:
    """The file as it grows: what has come through standard input lies there, too, and is not held; what has not is waited for."""

    def __init__(self, file: int, most: int) -> None:
        """`file` is the descriptor that it is read by."""
        self._file = file
        self._come = 0
        self._at = 0
        self._most = most
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        self._wait_for(self._at + size if size >= 0 else None)
        end = self._come if size < 0 else min(self._at + size, self._come)
        piece = os.pread(self._file, max(0, end - self._at), self._at)
        self._at += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of a file; seeking from the end waits for the end."""
        if whence == os.SEEK_END:
            self._wait_for(None)
        self._at = max(0, offset + (0, self._at, self._come)[whence])
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def _wait_for(self, end: int | None) -> None:
        while not self._ended and (end is None or self._come < end):
            if self._come > self._most:  # asked before reading: some demuxers go on after a fault
                raise Fault("large")
            piece = os.read(0, 1 << 16)
            self._ended = not piece
            self._come += len(piece)


def send(kind: bytes, body: bytes = b"") -> None:
    """Writes one frame."""
    out = sys.stdout.buffer
    out.write(HEADER.pack(kind, len(body)) + body)
    out.flush()


def answer(order: Order) -> None:
    """Does what is ordered, frame by frame. Raises Fault, or MemoryError where the file wants too much."""
    flac(array("h", [0]))  # loads what is loaded at first use, before the last door closes
    shut()
    source = Arriving(order.file, order.size)
    if order.most:
        send(FITTED, fitted(source, order.most, order.seconds))
        return
    container, stream = opened(source)
    for start, clip in clips(samples(frames(container, stream), order.seconds), order.longest, order.after):
        send(CLIP, PLACE.pack(start / RATE, len(clip) / RATE) + flac(clip))


def main() -> None:
    """Reads the order from the command line."""
    order = ordered(Order)
    try:
        answer(order)
        send(END)
    except Fault as fault:
        send(FAULT, str(fault).encode())
    except MemoryError:
        send(FAULT, b"heavy")
