"""Many short notes at once: windows no longer than their speech, encoded and decoded together, and each result looked at. One note in
full windows, as faster-whisper does it: `engine.py`. Imported by `load()` of `model.py` alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from faster_whisper.transcribe import Segment, Word, get_compression_ratio, get_suppressed_tokens, restore_speech_timestamps

from bot import Transcribe
from plugins.transcribe.engine import RATE, Engine, Samples, Span, chosen

FULL = 3000
"""Frames of Whisper's own window, 30 s; longer speech has no place here."""

MARGIN = 150
"""Frames of silence behind the speech. Without them Whisper often does not hear the end of the last word."""

STEP = 50
"""Windows have a multiple of so many frames."""

SURE = 0.5
"""Probability of the likeliest language below which a longer look is taken, as the library does from one window to the next."""

LIKELY, DENSE = -0.8, 2.2
"""A mean log-probability below, or a compression ratio above, makes a text doubtful. The library gives a full window up at -1 and 2.4."""

LOOP = 3
"""So many times the same words in a row are a loop until a full window hears them too."""

UNREAD = 100
"""Frames of speech at the end that a text may leave out."""


@dataclass(eq=False, slots=True)
class Window:
    """One note: its speech as (mel bins, frames), where that was in its sound, and what is asked. `most` is the tokens that it can hold."""

    frames: Samples
    spans: Sequence[Span]
    job: Transcribe
    most: int
    language: str | None = field(init=False)
    tokens: list[int] = field(default_factory=list)
    likely: float = 0.0
    silent: float = 0.0
    segments: list[Any] = field(default_factory=list)
    doubt: str = ""
    """Why the text is not to be trusted; "" when it is."""

    def __post_init__(self) -> None:
        self.language = self.job.language

    @property
    def length(self) -> int:
        """Frames of speech."""
        return int(self.frames.shape[1])


def together(windows: Sequence[Window]) -> list[Window]:
    """Some that are worth doing at once: the shortest, and those that are not much longer and expect the same words."""
    if not windows:
        return []
    ordered = sorted(windows, key=lambda window: window.length)
    first = ordered[0]
    return [window for window in ordered if window.job.hints == first.job.hints and window.length <= first.length * 1.5 + 2 * STEP]


def read(engine: Engine, windows: Sequence[Window], beam: int) -> None:
    """Writes text and doubts into the windows."""
    size = min(FULL, -(-(max(window.length for window in windows) + MARGIN) // STEP) * STEP)
    features = np.zeros((len(windows), windows[0].frames.shape[0], size), np.float32)
    for row, window in zip(features, windows, strict=True):
        row[:, : window.length] = window.frames
    encoded = engine.encoded(features)
    _tell_languages(engine, windows, encoded)
    tokenizers = [engine.tokenizer(window.language or "en", translate=window.job.translate) for window in windows]
    _generate(engine, windows, tokenizers, encoded, beam)
    for window, tokenizer in zip(windows, tokenizers, strict=True):
        _look_at(engine, window, tokenizer)
    _align(engine, windows, tokenizers, encoded)
    for window, tokenizer in zip(windows, tokenizers, strict=True):
        window.segments = _finished(window, tokenizer) if not window.doubt else []


def _tell_languages(engine: Engine, windows: Sequence[Window], encoded: Any) -> None:
    if all(window.language for window in windows) or not engine.model.is_multilingual:
        return
    for window, found in zip(windows, engine.model.detect_language(encoded), strict=True):
        if window.language is None:
            token, probability = found[0]
            window.language = token[2:-2]
            window.doubt = "language" if probability < SURE else ""


def _generate(engine: Engine, windows: Sequence[Window], tokenizers: Sequence[Any], encoded: Any, beam: int) -> None:
    prompts = [engine.get_prompt(one, [], hotwords=window.job.hints or None) for one, window in zip(tokenizers, windows, strict=True)]
    most = min(max(window.most for window in windows), engine.max_length - len(prompts[0]))
    results = engine.model.generate(
        encoded,
        prompts,
        beam_size=beam,
        max_length=len(prompts[0]) + most,
        return_scores=True,
        return_no_speech_prob=True,
        max_initial_timestamp_index=50,
        suppress_tokens=get_suppressed_tokens(tokenizers[0], [-1]),
    )
    for window, result in zip(windows, results, strict=True):
        window.tokens = list(result.sequences_ids[0])
        count = len(window.tokens)
        window.likely = result.scores[0] * count / (count + 1)
        window.silent = result.no_speech_prob
        if count >= min(most, window.most):
            window.doubt = window.doubt or "no end"


def _look_at(engine: Engine, window: Window, tokenizer: Any) -> None:
    text = tokenizer.decode(window.tokens).strip()
    found, seek, _ = engine._split_segments_by_timestamps(  # the library's own, so that times mean the same
        tokenizer=tokenizer,
        tokens=window.tokens,
        time_offset=0.0,
        segment_size=window.length,
        segment_duration=window.length / 100,
        seek=0,
    )
    window.segments = found
    doubts = {
        "nothing": not text,
        "improbable": window.likely < LIKELY,
        "dense": get_compression_ratio(text) > DENSE,
        "loop": loops([token for token in window.tokens if token < tokenizer.eot]),
        "unread": window.length - seek > UNREAD or window.length - found[-1]["end"] * 100 > 2 * UNREAD,
    }
    window.doubt = window.doubt or next((name for name, there in doubts.items() if there), "")


def loops(tokens: Sequence[int]) -> bool:
    """Whether some tokens come again and again, one right after the other."""
    for length in range(1, len(tokens) // LOOP + 1):
        for at in range(len(tokens) - LOOP * length + 1):
            if all(tokens[at : at + length] == tokens[at + n * length : at + (n + 1) * length] for n in range(1, LOOP)):
                return True
    return False


def _align(engine: Engine, windows: Sequence[Window], tokenizers: Sequence[Any], encoded: Any) -> None:
    """Adds words with their times, language by language, since that is what alignment begins with."""
    groups: dict[tuple[str | None, bool], list[int]] = defaultdict(list)
    for number, window in enumerate(windows):
        if window.job.words and not window.doubt:
            groups[window.language, window.job.translate].append(number)
    for rows in groups.values():
        engine.add_word_timestamps(
            [windows[row].segments for row in rows],
            tokenizers[rows[0]],
            chosen(encoded, rows, len(windows)),
            [windows[row].length for row in rows],
            "\"'“¿([{-",
            "\"'.。,，!！?？:：”)]}、",
            last_speech_timestamp=0.0,
        )


def _finished(window: Window, tokenizer: Any) -> list[Any]:
    """Segments of the library's kind, with the times of the sound."""
    made = [
        Segment(
            id=number,
            seek=0,
            start=one["start"],
            end=one["end"],
            text=text,
            tokens=one["tokens"],
            avg_logprob=window.likely,
            compression_ratio=get_compression_ratio(text),
            no_speech_prob=window.silent,
            words=[Word(**word) for word in one["words"]] if window.job.words else None,
            temperature=0.0,
        )
        for number, one in enumerate(window.segments, 1)
        if (text := tokenizer.decode(one["tokens"])).strip() and one["start"] < one["end"]
    ]
    return list(restore_speech_timestamps(made, list(window.spans), RATE))
