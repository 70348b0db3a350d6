"""Whose voice it is, by what voices sound like; pure functions. What they sound like says `voices.py`; what the chat sees: `writing.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot import Transcript

ALIKE = 0.5
"""From this cosine on two voices are one person's; sherpa-onnx puts voices together from the same on."""

LONG = 1.5
"""Seconds of speech from which a voice may be somebody new."""


@dataclass
class Speakers:
    """Those of one recording, in the order in which they are first heard; each is the sum of what they sounded like."""

    alike: float = ALIKE
    _sums: list[list[float]] = field(default_factory=list)
    _last: int = 1

    def told_apart(self, part: Transcript, voices: Sequence[Sequence[float]]) -> Transcript:
        """The transcript of the next clip, with the number of who speaks on each segment, from 1."""
        pairs = zip(part.segments, voices, strict=True)
        segments = [one.model_copy(update={"speaker": self._whose(voice, one.end - one.start)}) for one, voice in pairs]
        return part.model_copy(update={"segments": tuple(segments)})

    def _whose(self, voice: Sequence[float], seconds: float) -> int:
        """What is too short to tell is taken for whoever spoke before, at the beginning for the first, or is likest."""
        length = math.hypot(*voice)
        if length:
            likeness = [sum(a * b for a, b in zip(one, voice, strict=True)) / (math.hypot(*one) * length) for one in self._sums]
            best = max(range(len(likeness)), key=likeness.__getitem__, default=-1)
            if new := best < 0 or (likeness[best] < self.alike and seconds >= LONG):
                self._sums.append([0.0] * len(voice))
                best = len(self._sums) - 1
            self._last = best + 1
            if new or seconds >= LONG:
                self._sums[best] = [a + b / length for a, b in zip(self._sums[best], voice, strict=True)]
        return self._last
