"""What a clip's sound is measured in, which all that read it share. Clips themselves: `clips.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

RATE = 16_000
"""Samples a second of a clip, as Whisper takes them."""

FULL = 3000
"""Frames of Whisper's own window, 30 s; longer speech has no place in one."""

Samples: TypeAlias = "npt.NDArray[np.float32]"
"""Sound from -1 to 1, or what Whisper makes of it: (mel bins, frames)."""

Span = Mapping[str, int]
"""Speech from `start` to `end`, in samples."""
