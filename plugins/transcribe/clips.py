"""Clips in hand, and which of them are read together next. What reading is: `reading.py`; who reads: `model.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from bot import Transcribe, Transcript, Work
from plugins.transcribe.sound import FULL, RATE, Samples, Span

if TYPE_CHECKING:
    from plugins.transcribe.windows import Window

LONGER, MORE = 1.5, 100.0
"""A window that is so much longer than another, in all or besides by so many frames, still costs less with it than alone."""

PATIENCE = 4
"""Times that a clip lets others go first."""


@dataclass(eq=False, slots=True)
class Clip:
    """A job in hand, with its sound and where somebody speaks in it. `window` is None where there is more speech than one takes."""

    work: Work[Transcribe, Transcript]
    sound: Samples
    spans: Sequence[Span]
    window: Window | None
    passed: int = 0
    """How often others went first."""

    @property
    def seconds(self) -> float:
        """Of sound."""
        return len(self.sound) / RATE

    @property
    def doubtful(self) -> bool:
        """Whether its text is not to be trusted, and is read in a full window next."""
        return self.window is not None and bool(self.window.doubt)

    @property
    def effort(self) -> float:
        """Frames that Whisper has to be given."""
        return inf if self.window is None else FULL if self.doubtful else self.window.length

    def goes_with(self, other: Clip) -> bool:
        """Whether both are read sooner together: they are of about a length, and expect the same words."""
        if self.window is None or other.window is None or self.work.job.hints != other.work.job.hints:
            return self is other
        short, long = sorted((self.effort, other.effort))
        return self.doubtful == other.doubtful and long <= short * LONGER + MORE


def following(clips: Sequence[Clip], most: int) -> list[Clip]:
    """The clip of least effort and others that go with it, `most` in all; who has waited long enough comes before."""
    first = next((clip for clip in clips if clip.passed >= PATIENCE), None) or min(clips, key=lambda clip: clip.effort)
    alike = sorted(filter(first.goes_with, clips), key=lambda clip: (clip is not first, abs(clip.effort - first.effort)))
    chosen = alike[:most]
    for clip in clips:
        clip.passed += clip not in chosen
    return chosen
