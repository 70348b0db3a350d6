"""Large libraries are imported without looking for garbage meanwhile. Which ones: whoever loads a model."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Has Python's garbage collector wait: it would look again and again at what is imported, all of which stays.

    For imports alone: what reads weights may leave some behind that only the collector finds. Where several threads import, the first one
    that has done so ends the wait of all, which costs time and nothing else.
    """
    looks = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looks:
            gc.enable()
