"""Whisper's network on a CPU, a little at a time: what it takes beside its weights stays near the same, however long it listens.

What is read, and how: `windows.py` and the library, which both ask this instead of the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import Any

import ctranslate2
import numpy as np

from plugins.transcribe.sound import FULL

STRIDE = 2
"""Frames to each moment of what the encoder makes of them."""

TEXTS = 3
"""Full windows, or shorter ones as long together, that are decoded at once. Each text keeps what it looks at of its window, of base 37 MB
in a full one, and what it has said, 25 MB in five beams."""

TRIES = 2
"""Tries of a window by chance that are made at once, which keep as much each."""


class Sparing:
    """A `ctranslate2.models.Whisper`, whose answers are the same."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, features: Any, to_cpu: bool = False) -> Any:
        """So many windows at once as look at no more pairs of moments together than a full one does: 72 MB for base."""
        windows, _, frames = features.shape
        parts = [self._model.encode(chosen(features, rows), to_cpu=to_cpu) for rows in parted(windows, FULL**2 // frames**2)]
        return parts[0] if len(parts) == 1 else view(np.concatenate([np.asarray(one) for one in parts]))

    def generate(self, encoded: Any, prompts: Sequence[Any], *, num_hypotheses: int = 1, beam_size: int = 5, **how: Any) -> list[Any]:
        """The likeliest text of each window first."""
        tries = [len(some) for some in parted(num_hypotheses, TRIES)] if beam_size == 1 else [num_hypotheses]
        made = []
        for rows in _texts(encoded, max(tries)):
            some, asked = chosen(encoded, rows), [prompts[row] for row in rows]
            tried = [self._model.generate(some, asked, num_hypotheses=count, beam_size=beam_size, **how) for count in tries]
            made += [max(results, key=lambda one: one.scores[0]) for results in zip(*tried, strict=True)]
        return made

    def align(
        self, encoded: Any, start: Sequence[int], texts: Sequence[Sequence[int]], frames: Sequence[int] | int, **how: Any
    ) -> list[Any]:
        """When each token of each window is said."""
        made = []
        for rows in _texts(encoded):
            some, long = [texts[row] for row in rows], frames if isinstance(frames, int) else [frames[row] for row in rows]
            made += self._model.align(chosen(encoded, rows), start, some, long, **how)
        return made


def _texts(encoded: Any, tries: int = 1) -> Iterator[range]:
    """The rows that are decoded at once."""
    return parted(encoded.shape[0], TEXTS * FULL // (encoded.shape[1] * STRIDE * tries))


def parted(count: int, most: int) -> Iterator[range]:
    """All numbers below `count` in pieces of about a size, of at most `most` (one at least)."""
    pieces = ceil(count / max(1, most))
    edges = [count * piece // pieces for piece in range(pieces + 1)]
    return (range(*ends) for ends in pairwise(edges))


def chosen(rows: Any, which: Sequence[int]) -> Any:
    """Some rows of what the encoder takes or makes, on the host; the same when it is all of them."""
    if list(which) == list(range(rows.shape[0])):
        return rows
    held = rows if rows.device == "cpu" else rows.to_device(ctranslate2.Device.cpu)
    return view(np.asarray(held)[list(which)])


def view(rows: Any) -> Any:
    """As the engine takes them."""
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(rows))
