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
from plugins.transcribe.engine import Engine
from plugins.transcribe.sound import RATE, Samples, Span
from plugins.transcribe.sparing import chosen

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


@dataclass(frozen=True, slots=True)
class Reading:
    """What was decoded of a window in one language: mean log-probability, that of silence, and why it is no text ("" when it is one)."""

    language: str
    tokens: Sequence[int]
    text: str
    likely: float
    silent: float
    loose: str


@dataclass(eq=False, slots=True)
class Window:
    """One note: its speech as (mel bins, frames), where that was in its sound, and what is asked. `most` is the tokens that it can hold."""

    frames: Samples
    spans: Sequence[Span]
    job: Transcribe
    most: int
    languages: Sequence[tuple[str, float]] = ()
    """The likeliest, with their probabilities; the one that is known."""
    reading: Reading | None = None
    """The best so far."""
    segments: list[Any] = field(default_factory=list)
    seek: int = 0
    doubt: str = ""
    """Why the text is not to be trusted; "" when it is."""

    @property
    def length(self) -> int:
        """Frames of speech."""
        return int(self.frames.shape[1])

    @property
    def read(self) -> Reading:
        """The best reading, of a window that was read."""
        assert self.reading is not None, "it was not read yet"
        return self.reading


def prepared(engine: Engine, windows: Sequence[Window], size: int) -> Any:
    """What the encoder makes of them in `size` frames each. The windows learn their languages."""
    features = np.zeros((len(windows), windows[0].frames.shape[0], size), np.float32)
    for row, window in zip(features, windows, strict=True):
        row[:, : window.length] = window.frames
    encoded = engine.encoded(features)
    told = all(window.job.language for window in windows) or not engine.model.is_multilingual
    found = [[]] * len(windows) if told else engine.model.detect_language(encoded)
    for window, languages in zip(windows, found, strict=True):
        likeliest = [(token[2:-2], probability) for token, probability in languages]
        window.languages = [(window.job.language or "en", 1.0)] if told or window.job.language else likeliest
    return encoded


def generate(
    engine: Engine, windows: Sequence[Window], languages: Sequence[str], encoded: Any, how: Mapping[str, Any], *, short: bool = False
) -> list[Reading]:
    """Each window read in its language; `how` is what the engine takes for it, and a `short` one holds no more than people say.

    Windows whose prompts are of a length are decoded together, which the engine asks for, and of them as many as it takes at once.
    """
    tokenizers = [engine.tokenizer(language, translate=window.job.translate) for window, language in zip(windows, languages, strict=True)]
    prompts = [_prompt(engine, *one) for one in zip(windows, languages, tokenizers, strict=True)]
    alike: dict[int, list[int]] = defaultdict(list)
    for row, prompt in enumerate(prompts):
        alike[len(prompt)].append(row)
    made: dict[int, Reading] = {}
    step = max(1, engine.together // how.get("num_hypotheses", 1))
    for length, rows in ((length, some[at : at + step]) for length, some in alike.items() for at in range(0, len(some), step)):
        limits = [_limit(windows[row], short=short) for row in rows]
        most = min(max(limits), engine.max_length - length)
        results = engine.model.generate(
            chosen(encoded, rows),
            [prompts[row] for row in rows],
            max_length=length + most,
            return_scores=True,
            return_no_speech_prob=True,
            max_initial_timestamp_index=50,
            suppress_tokens=get_suppressed_tokens(tokenizers[0], [-1]),
            **how,
        )
        for row, result, limit in zip(rows, results, limits, strict=True):
            made[row] = _reading(languages[row], tokenizers[row], result, min(most, limit))
    return [made[row] for row in range(len(windows))]


def _prompt(engine: Engine, window: Window, language: str, tokenizer: Any) -> list[int]:
    before = tokenizer.encode(said_before(language, window.job))
    prompt: list[int] = engine.get_prompt(tokenizer, before, hotwords=window.job.hints or None)
    return prompt


def _limit(window: Window, *, short: bool) -> int:
    return min(window.most, TOKENS + TOKENS_A_SECOND * window.length // 100) if short else window.most


def _reading(language: str, tokenizer: Any, result: Any, limit: int) -> Reading:
    """What was decoded; a text of `limit` tokens was cut off."""
    tokens = result.sequences_ids[0]
    count, text = len(tokens), tokenizer.decode(tokens).strip()
    loose = _loose(text, [token for token in tokens if token < tokenizer.eot], cut=count >= limit)
    return Reading(language, tokens, text, result.scores[0] * count / (count + 1), result.no_speech_prob, loose)


def _loose(text: str, said: Sequence[int], *, cut: bool) -> str:
    """Why a text is no text: cut off, or the same again and again."""
    if cut:
        return "no end"
    return "dense" if get_compression_ratio(text) > DENSE else "loop" if loops(said) else ""


def segment(engine: Engine, window: Window) -> None:
    """By the library's own function, so that times mean the same."""
    window.segments, window.seek, _ = engine._split_segments_by_timestamps(
        tokenizer=engine.tokenizer(window.read.language, translate=window.job.translate),
        tokens=list(window.read.tokens),
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


def finish(engine: Engine, windows: Sequence[Window], encoded: Any) -> None:
    """Makes segments of what is not doubtful, with the times of the sound, and words where they are wanted."""
    _align(engine, windows, encoded)
    for window in windows:
        window.segments = _finished(engine, window) if not window.doubt else []


def _align(engine: Engine, windows: Sequence[Window], encoded: Any) -> None:
    """Adds words with their times, language by language, since that is what alignment begins with."""
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for number, window in enumerate(windows):
        if window.job.words and window.segments and not window.doubt:
            groups[window.read.language, window.job.translate].append(number)
    for (language, translate), rows in groups.items():
        engine.add_word_timestamps(
            [windows[row].segments for row in rows],
            engine.tokenizer(language, translate=translate),
            chosen(encoded, rows),
            [windows[row].length for row in rows],
            "\"'“¿([{-",
            "\"'.。,，!！?？:：”)]}、",
            last_speech_timestamp=0.0,
        )


def _finished(engine: Engine, window: Window) -> list[Any]:
    """Segments of the library's kind, with the times of the sound."""
    tokenizer = engine.tokenizer(window.read.language, translate=window.job.translate)
    made = [
        Segment(
            id=number,
            seek=0,
            start=one["start"],
            end=one["end"],
            text=text,
            tokens=one["tokens"],
            avg_logprob=window.read.likely,
            compression_ratio=get_compression_ratio(text),
            no_speech_prob=window.read.silent,
            words=[Word(**word) for word in one["words"]] if window.job.words else None,
            temperature=0.0,
        )
        for number, one in enumerate(window.segments, 1)
        if (text := tokenizer.decode(one["tokens"])).strip() and one["start"] < one["end"]
    ]
    return list(restore_speech_timestamps(made, list(window.spans), RATE))
