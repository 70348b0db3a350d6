"""Short ids that follow from what they stand for. Journals of every release name effects by them, so they stay what they are."""

from __future__ import annotations

import hashlib

PIECE = 1 << 16
"""Bytes of a file that are spelled at once."""


def digest(*words: str) -> str:
    """A short id that is the same for the same words: 128 bits, hex."""
    return hashlib.blake2b("\0".join(words).encode(), digest_size=16).hexdigest()


def digest_of(content: bytes) -> str:
    """That of a file's bytes, which stand in it as hex: `digest(content.hex())`, without a copy of the whole."""
    made, view = hashlib.blake2b(digest_size=16), memoryview(content)
    for at in range(0, len(content), PIECE):
        made.update(view[at : at + PIECE].hex().encode())
    return made.hexdigest()
