"""Windows of several notes, encoded, decoded and aligned together, in whatever length. Which length, and what to trust: `reading.py`.

Imported by `load()` of `model.py` alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from faster_whisper.transcribe import Segment, Word, get_compression_ratio, get_suppressed_tokens, restore_speech_timestamps

from bot import Transcribe
from plugins.transcribe.chinese import said_before
from plugins.transcribe.engine import RATE, Engine, Samples, Span, chosen

FULL = 3000
"""Frames of Whisper's own window, 30 s; longer speech has no place here."""

MARGIN = 150
"""Frames of silence behind the speech. Without them Whisper often does not hear the end of the last word."""

STEP = 50
"""Windows have a multiple of so many frames."""

TOKENS, TOKENS_A_SECOND = 20, 15
"""What a short window may hold: more is a loop nearly always. A full one may hold all that anybody can say."""

LOOP = 3
"""So many times the same words in a row are a loop until a full window hears them too."""

LIKELY, DENSE = -1.0, 2.4
"""A mean log-probability below, or a compression ratio above, makes a text doubtful. It is there that the library gives a window up."""

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
    text: str = ""
    seek: int = 0
    likely: float = 0.0
    silent: float = 0.0
    segments: list[Any] = field(default_factory=list)
    languages: Sequence[tuple[str, float]] = ()
    """The likeliest, with their probabilities, where nobody said which one it is."""
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


def prepared(engine: Engine, windows: Sequence[Window], size: int) -> tuple[Any, list[Any]]:
    """What the encoder makes of them, and a tokenizer for the language of each."""
    features = np.zeros((len(windows), windows[0].frames.shape[0], size), np.float32)
    for row, window in zip(features, windows, strict=True):
        row[:, : window.length] = window.frames
    encoded = engine.encoded(features)
    _tell_languages(engine, windows, encoded)
    return encoded, [engine.tokenizer(window.language or "en", translate=window.job.translate) for window in windows]


def _tell_languages(engine: Engine, windows: Sequence[Window], encoded: Any) -> None:
    if all(window.language for window in windows) or not engine.model.is_multilingual:
        return
    for window, found in zip(windows, engine.model.detect_language(encoded), strict=True):
        if window.language is None:
            window.languages = [(token[2:-2], probability) for token, probability in found]
            window.language = window.languages[0][0]


def generate(
    engine: Engine,
    windows: Sequence[Window],
    tokenizers: Sequence[Any],
    encoded: Any,
    how: Mapping[str, Any],
    *,
    short: bool = False,
) -> None:
    """Writes tokens and text into the windows, and why one is no text; `how` is what the engine takes for it.

    Windows whose prompts are of a length are decoded together, which the engine asks for.
    """
    prompts = [_prompt(engine, one, window) for one, window in zip(tokenizers, windows, strict=True)]
    alike: dict[int, list[int]] = defaultdict(list)
    for row, prompt in enumerate(prompts):
        alike[len(prompt)].append(row)
    for length, rows in alike.items():
        limits = [_limit(windows[row], short=short) for row in rows]
        most = min(max(limits), engine.max_length - length)
        results = engine.model.generate(
            chosen(encoded, rows, len(windows)),
            [prompts[row] for row in rows],
            max_length=length + most,
            return_scores=True,
            return_no_speech_prob=True,
            max_initial_timestamp_index=50,
            suppress_tokens=get_suppressed_tokens(tokenizers[0], [-1]),
            **how,
        )
        for row, result, limit in zip(rows, results, limits, strict=True):
            _take(windows[row], tokenizers[row], result, min(most, limit))


def _prompt(engine: Engine, tokenizer: Any, window: Window) -> list[int]:
    before = tokenizer.encode(said_before(window.language, window.job))
    prompt: list[int] = engine.get_prompt(tokenizer, before, hotwords=window.job.hints or None)
    return prompt


def _limit(window: Window, *, short: bool) -> int:
    return min(window.most, TOKENS + TOKENS_A_SECOND * window.length // 100) if short else window.most


def _take(window: Window, tokenizer: Any, result: Any, limit: int) -> None:
    """What was decoded; a text of `limit` tokens was cut off."""
    window.tokens = list(result.sequences_ids[0])
    count = len(window.tokens)
    window.likely = result.scores[0] * count / (count + 1)
    window.silent = result.no_speech_prob
    window.text = tokenizer.decode(window.tokens).strip()
    window.doubt = _loose(window, [token for token in window.tokens if token < tokenizer.eot], cut=count >= limit)


def _loose(window: Window, said: Sequence[int], *, cut: bool) -> str:
    """Why a text is no text: cut off, or the same again and again."""
    if cut:
        return "no end"
    return "dense" if get_compression_ratio(window.text) > DENSE else "loop" if loops(said) else ""


def segment(engine: Engine, window: Window, tokenizer: Any) -> None:
    """By the library's own function, so that times mean the same."""
    window.segments, window.seek, _ = engine._split_segments_by_timestamps(
        tokenizer=tokenizer,
        tokens=window.tokens,
        time_offset=0.0,
        segment_size=window.length,
        segment_duration=window.length / 100,
        seek=0,
    )


def unread(window: Window) -> bool:
    """Whether the text leaves out the end of the speech."""
    return window.length - window.seek > UNREAD


def loops(tokens: Sequence[int]) -> bool:
    """Whether some tokens come again and again, one right after the other."""
    for length in range(1, len(tokens) // LOOP + 1):
        for at in range(len(tokens) - LOOP * length + 1):
            if all(tokens[at : at + length] == tokens[at + n * length : at + (n + 1) * length] for n in range(1, LOOP)):
                return True
    return False


def finish(engine: Engine, windows: Sequence[Window], tokenizers: Sequence[Any], encoded: Any) -> None:
    """Makes segments of what is not doubtful, with the times of the sound, and words where they are wanted."""
    _align(engine, windows, tokenizers, encoded)
    for window, tokenizer in zip(windows, tokenizers, strict=True):
        window.segments = _finished(window, tokenizer) if not window.doubt else []


def _align(engine: Engine, windows: Sequence[Window], tokenizers: Sequence[Any], encoded: Any) -> None:
    """Adds words with their times, language by language, since that is what alignment begins with."""
    groups: dict[tuple[str | None, bool], list[int]] = defaultdict(list)
    for number, window in enumerate(windows):
        if window.job.words and window.segments and not window.doubt:
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
