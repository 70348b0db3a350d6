"""Whisper with one encoder pass less for each note. It imports the engine at once, so only `load()` of `model.py` imports it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio
from faster_whisper.vad import VadOptions, get_speech_timestamps

RATE = 16_000
"""Samples a second that Whisper takes."""


class Unwanted(Exception):  # noqa: N818  a request, no fault
    """Nobody waits for the transcript any more."""


class Engine(WhisperModel):  # type: ignore[misc]  # the library has no types
    """Remembers the window that it encoded last.

    Detecting the language and transcribing both begin with the first window, and encoding it is about half of the work
    on a short note: 1.6 of 3.9 s for 11 s of speech (base, int8, two busy cores).
    """

    unwanted: Callable[[], bool] = staticmethod(lambda: False)
    """Asked before each window; true ends the transcript with Unwanted."""

    _last: tuple[npt.NDArray[np.float32], Any] | None = None

    def detect_language(self, audio: Any = None, features: Any = None, **options: Any) -> Any:
        """Looks at the very frames that `transcribe` will: it leaves out the last one, which is padding."""
        return super().detect_language(audio, None if features is None else features[..., :-1], **options)

    def encode(self, features: npt.NDArray[np.float32]) -> Any:
        """The encoder's output."""
        if self.unwanted():
            raise Unwanted
        if self._last is None or not np.array_equal(self._last[0], features):
            self._last = (features, super().encode(features))
        return self._last[1]

    def park(self) -> None:
        """Weights to the host."""
        self._last = None
        self.model.unload_model(to_cpu=True)

    def unpark(self) -> None:
        """Weights back to the device; the host keeps its copy."""
        self.model.load_model(keep_cache=True)


def samples(clip: bytes) -> npt.NDArray[np.float32]:
    """A clip's 16 kHz samples, from -1 to 1."""
    decoded: npt.NDArray[np.float32] = decode_audio(io.BytesIO(clip), sampling_rate=RATE)
    return decoded


def spoken(sound: npt.NDArray[np.float32], voices: Mapping[str, int]) -> float:
    """Seconds in which the voice detector hears a voice. 11 s take it 40 ms, so asking it before Whisper costs little."""
    found = get_speech_timestamps(sound, VadOptions(**voices))
    return float(sum(part["end"] - part["start"] for part in found)) / RATE
