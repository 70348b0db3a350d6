"""Whisper with less work for each note. It imports the engine at once, so only `load()` of `model.py` imports it. Batches: `windows.py`."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import av
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.vad import VadOptions, collect_chunks, get_speech_timestamps

from bot import heap
from plugins.transcribe.sound import RATE, Samples, Span
from plugins.transcribe.sparing import Sparing, view

TIDY_EVERY = 5.0
"""Seconds. After each batch of short notes it would take a tenth of their time, in pages that the next one asks for again."""


class Unwanted(Exception):  # noqa: N818  a request, no fault
    """Nobody waits for the transcript any more."""


class Engine(WhisperModel):  # type: ignore[misc]  # the library has no types
    """Remembers the window that it encoded last.

    Detecting the language and transcribing both begin with the first window, and encoding it is about half of the work
    on a short note: 1.6 of 3.9 s for 11 s of speech (base, int8, two busy cores).
    """

    unwanted: Callable[[], bool] = staticmethod(lambda: False)
    """Asked before each window; true ends the transcript with Unwanted."""

    together: int = 8
    """Texts that are decoded at once, tries of one window apart: each keeps what it looks at of its window, 37 MB for base. On a CPU
    fewer, see `sparing.py`."""

    _last: tuple[Samples, Any] | None = None

    _tidied = -TIDY_EVERY

    model: Any

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        if self.model.device == "cpu":
            self.model = Sparing(self.model)

    def detect_language(self, audio: Any = None, features: Any = None, **options: Any) -> Any:
        """Looks at the very frames that `transcribe` will: it leaves out the last one, which is padding."""
        return super().detect_language(audio, None if features is None else features[..., :-1], **options)

    def encode(self, features: Samples) -> Any:
        """The encoder's output."""
        if self.unwanted():
            raise Unwanted
        if self._last is None or not np.array_equal(self._last[0], features):
            self._last = (features, super().encode(features))
        return self._last[1]

    def encoded(self, features: Samples) -> Any:
        """The encoder's output for (windows, mel bins, frames), which may be shorter than 30 s; it is not remembered."""
        return self.model.encode(view(features))

    def frames(self, sound: Samples, spans: Sequence[Span]) -> Samples:
        """(mel bins, frames) of the speech alone, 100 frames a second; the same that the library computes."""
        pieces, _ = collect_chunks(sound, list(spans))
        features: Samples = self.feature_extractor(np.concatenate(pieces))
        return features[:, :-1]

    def tokenizer(self, language: str, *, translate: bool) -> Any:
        """For one language and task."""
        return Tokenizer(self.hf_tokenizer, self.model.is_multilingual, task="translate" if translate else "transcribe", language=language)

    def tidy(self) -> None:
        """Gives the system what is free, between two batches and not too often; what the last of them left the idle worker gives back.

        GNU's C library keeps it in pieces that the next text does not fit in. Within an hour of speech base in int8 took 711 MB on two
        cores, and with this and `sparing.py` 572, of which 569 within the first ten minutes.
        """
        if time.monotonic() >= self._tidied + TIDY_EVERY:
            heap.give_back()
            self._tidied = time.monotonic()

    def park(self) -> None:
        """Weights to the host."""
        self._last = None
        self.model.unload_model(to_cpu=True)

    def unpark(self) -> None:
        """Weights back to the device; the host keeps its copy."""
        self.model.load_model(keep_cache=True)


def samples(clip: bytes) -> Samples:
    """A clip's 16 kHz samples, from -1 to 1. Raises av.FFmpegError for what is no sound, LookupError or ValueError where there is none.

    The library's function collects garbage each time: of 32 notes 0.7 s instead of 0.2, and more where other models are in memory.
    """
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(io.BytesIO(clip), "r") as container:
        frames = chain(container.decode(audio=0), (None,))
        pieces = [made.to_ndarray()[0] for frame in frames for made in resampler.resample(frame)]
    return np.concatenate(pieces).astype(np.float32) / 32768.0


def speech(sound: Samples, voices: Mapping[str, int]) -> list[Span]:
    """Where the voice detector hears a voice. 11 s take it 40 ms, so asking it before Whisper costs little."""
    return list(get_speech_timestamps(sound, VadOptions(**voices)))
