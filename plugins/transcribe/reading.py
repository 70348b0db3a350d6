"""Notes are read in short windows, in the likeliest languages, each text is looked at, and the doubtful ones are read in full windows.

How windows are encoded and decoded: `windows.py`. What is longer than a window: `engine.py`. Imported by `load()` of `model.py` alone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from faster_whisper.transcribe import get_compression_ratio

from bot import Transcribe
from plugins.transcribe.engine import Engine, chosen
from plugins.transcribe.windows import DENSE, FULL, LIKELY, MARGIN, STEP, UNREAD, Window, finish, generate, prepared, segment, unread

SURE, CLEAR = 0.7, -0.6
"""Where a language is less probable than this, and the text has a mean log-probability below that, other languages are tried too.

In short windows Whisper hears Latin where it is not sure. Read in one of the next three languages, 7 of 12 such clips became clear.
"""

LANGUAGES = 4
"""So many of the likeliest are tried."""

PRIOR = 0.1
"""Weight of a language's log-probability beside the mean one of its text, when the best reading is chosen."""

BEST_OF = 5
"""Tries with chance of which the likeliest is taken, as the library does."""


def read(engine: Engine, windows: Sequence[Window], beam: int) -> None:
    """Writes text and doubts into the windows, each as long as its speech."""
    size = min(FULL, -(-(max(window.length for window in windows) + MARGIN) // STEP) * STEP)
    encoded, tokenizers = prepared(engine, windows, size)
    generate(engine, windows, tokenizers, encoded, {"beam_size": beam}, short=True)
    _in_other_languages(engine, windows, tokenizers, encoded, beam)
    for window, tokenizer in zip(windows, tokenizers, strict=True):
        _look_at(engine, window, tokenizer)
    finish(engine, windows, tokenizers, encoded)


def read_again(engine: Engine, windows: Sequence[Window], beam: int, silent: float, temperatures: Sequence[float]) -> None:
    """The same in full windows, as the library reads them; what is doubtful then, the library has to go on with.

    Above a probability of silence of `silent` nobody speaks in what is improbable. `temperatures` are tried one after the other.
    """
    for window in windows:
        window.language, window.doubt = window.job.language, ""
    encoded, tokenizers = prepared(engine, windows, FULL)
    generate(engine, windows, tokenizers, encoded, {"beam_size": beam})
    _by_chance(engine, windows, tokenizers, encoded, silent, temperatures)
    for window, tokenizer in zip(windows, tokenizers, strict=True):
        segment(engine, window, tokenizer)
        window.doubt = "unread" if unread(window) else ""
        if window.likely <= LIKELY and window.silent > silent:
            window.segments, window.doubt = [], ""
    finish(engine, windows, tokenizers, encoded)


def _in_other_languages(engine: Engine, windows: Sequence[Window], tokenizers: list[Any], encoded: Any, beam: int) -> None:
    """What is unclear is read in the next likeliest languages too, from the same encoding, and the best reading is kept."""
    unsure = [row for row, window in enumerate(windows) if window.languages and window.languages[0][1] < SURE and window.likely < CLEAR]
    unsure += [row for row, window in enumerate(windows) if row not in unsure and window.languages and window.doubt]
    others = [
        (row, replace(windows[row], job=_in(windows[row].job, language)))
        for row in unsure
        for language, _ in windows[row].languages[1:LANGUAGES]
    ]
    if not others:
        return
    readings = [window for _, window in others]
    spoken = [engine.tokenizer(window.language or "en", translate=window.job.translate) for window in readings]
    generate(engine, readings, spoken, chosen(encoded, [row for row, _ in others], len(windows)), {"beam_size": beam}, short=True)
    for (row, reading), tokenizer in zip(others, spoken, strict=True):
        window = windows[row]
        if _worth(reading, window.languages) > _worth(window, window.languages):
            window.language, window.tokens, window.text, tokenizers[row] = reading.language, reading.tokens, reading.text, tokenizer
            window.likely, window.silent, window.doubt = reading.likely, reading.silent, reading.doubt


def _in(job: Transcribe, language: str) -> Transcribe:
    return job.model_copy(update={"language": language})


def _worth(window: Window, languages: Sequence[tuple[str, float]]) -> tuple[bool, float]:
    return not window.doubt, window.likely + PRIOR * math.log(dict(languages)[window.language or ""])


def _by_chance(
    engine: Engine, windows: Sequence[Window], tokenizers: Sequence[Any], encoded: Any, silent: float, temperatures: Sequence[float]
) -> None:
    """What the library would give up is tried again; of what is never good the likeliest is taken that is no loop."""
    tried: dict[int, list[tuple[bool, float, list[int], str]]] = defaultdict(list)
    left = list(range(len(windows)))
    for temperature in temperatures:
        if temperature:
            how = {"beam_size": 1, "num_hypotheses": BEST_OF, "sampling_topk": 0, "sampling_temperature": temperature}
            generate(engine, [windows[row] for row in left], [tokenizers[row] for row in left], chosen(encoded, left, len(windows)), how)
        left = [row for row in left if _given_up(windows[row], silent)]
        if not left:
            return
        for row in left:
            window = windows[row]
            tried[row].append((get_compression_ratio(window.text) <= DENSE, window.likely, window.tokens, window.text))
    for row in left:
        _, windows[row].likely, windows[row].tokens, windows[row].text = max(tried[row], key=lambda one: one[:2])


def _given_up(window: Window, silent: float) -> bool:
    improbable = window.likely < LIKELY
    return (improbable or get_compression_ratio(window.text) > DENSE) and not (improbable and window.silent > silent)


def _look_at(engine: Engine, window: Window, tokenizer: Any) -> None:
    segment(engine, window, tokenizer)
    doubts = {
        "nothing": not window.text,
        "improbable": window.likely < LIKELY,
        "unread": unread(window) or window.length - window.segments[-1]["end"] * 100 > 2 * UNREAD,
    }
    window.doubt = window.doubt or next((name for name, there in doubts.items() if there), "")
