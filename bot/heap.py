"""The heap of GNU's C library, which keeps what was freed. Other libraries give it back by themselves: there nothing here does anything."""

from __future__ import annotations

import ctypes
import os
import platform

ARENA_MAX, ARENAS = -8, 2
"""The name that mallopt(3) has for it, and how many heaps a worker's threads share. With one for each of many threads, which is what GNU's
C library has, Whisper took 764 MB for four minutes of speech instead of 634, and as long (base, int8, two cores, n=1)."""

_LIBRARY = ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


def share() -> None:
    """Has all threads share a few heaps, unless the environment says how many. To be called before there are threads."""
    if _LIBRARY is not None and "MALLOC_ARENA_MAX" not in os.environ:
        _LIBRARY.mallopt(ARENA_MAX, ARENAS)


def give_back() -> None:
    """Gives the system what is free. What is asked for next is brought in anew, page by page, so not between two short jobs."""
    if _LIBRARY is not None:
        _LIBRARY.malloc_trim(0)
