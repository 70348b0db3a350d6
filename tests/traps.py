"""Sound files that take far more than their size says. What becomes of them: `test_media.py`, and `test_recordings.py` for a whole bot."""

from __future__ import annotations

import struct
import zlib

BLOCK = 65_535
"""Samples of one frame of FLAC, the most that it may have."""


def silence(hours: int) -> bytes:
    """FLAC at 8 kHz; a hundred hours are 44,000 frames in 650 kB."""
    facts = BLOCK.to_bytes(2, "big") * 2 + bytes(6) + (8000 << 44 | 15 << 36).to_bytes(8, "big") + bytes(16)
    frames = (_silent(number) for number in range(hours * 3600 * 8000 // BLOCK))
    return b"fLaC\x80\x00\x00\x22" + facts + b"".join(frames)


def _silent(number: int) -> bytes:
    """Eight seconds in 14 bytes."""
    head = b"\xff\xf8\x74\x08" + chr(number).encode() + (BLOCK - 1).to_bytes(2, "big")
    frame = head + _crc(head, 8, 0x07) + bytes(3)
    return frame + _crc(frame, 16, 0x8005)


def _crc(content: bytes, width: int, polynomial: int) -> bytes:
    value, top = 0, 1 << (width - 1)
    for byte in content:
        value ^= byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & ((1 << width) - 1)
    return value.to_bytes(width // 8, "big")


def bomb(megabytes: int, blocks: int) -> bytes:
    """A Matroska file whose blocks of samples unpack to so much each; a megabyte is eleven seconds."""
    packed = _element("6d80", _element("6240", _element("5034", _element("4254", b"\x00"))))
    return _matroska([_track(1, packed)], [b"\x81\x00\x00\x80" + zlib.compress(bytes(megabytes << 20), 9)] * blocks)


def tracks(number: int) -> bytes:
    """A Matroska file with so many tracks of a tenth of a second each."""
    numbers = range(1, number + 1)
    sound = bytes(2 * 4_800)
    return _matroska([_track(one) for one in numbers], [struct.pack(">H", one | 0x4000) + b"\x00\x00\x80" + sound for one in numbers])


def _matroska(tracks: list[bytes], blocks: list[bytes]) -> bytes:
    cluster = _element("e7", b"\x00") + b"".join(_element("a3", block) for block in blocks)
    head = _element("1a45dfa3", _element("4282", b"matroska"))
    return head + _element("18538067", _element("1654ae6b", b"".join(tracks)) + _element("1f43b675", cluster))


def _track(number: int, packed: bytes = b"") -> bytes:
    """Of 16-bit samples at 48 kHz."""
    sound = _element("e1", _element("b5", struct.pack(">d", 48_000.0)) + _element("9f", b"\x01") + _element("6264", b"\x10"))
    named = _element("d7", struct.pack(">H", number)) + _element("83", b"\x02") + _element("86", b"A_PCM/INT/LIT")
    return _element("ae", named + sound + packed)


def _element(id: str, body: bytes) -> bytes:
    """Of Matroska."""
    return bytes.fromhex(id) + struct.pack(">Q", len(body) | 1 << 56) + body
