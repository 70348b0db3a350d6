"""Notes are read in short windows, in the likeliest languages, each text is looked at, and the doubtful ones are read in full windows.

How windows are encoded and decoded: `windows.py`. What is longer than a window: `engine.py`. Imported by `load()` of `model.py` alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from faster_whisper.transcribe import get_compression_ratio

from plugins.transcribe.engine import Engine
from plugins.transcribe.sound import FULL
from plugins.transcribe.sparing import chosen
from plugins.transcribe.windows import (
    DENSE,
    LIKELY,
    MARGIN,
    STEP,
    UNREAD,
    Reading,
    Window,
    finish,
    generate,
    prepared,
    segment,
    unread,
)

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
    """Writes readings and doubts into the windows, each as long as its speech."""
    size = min(FULL, -(-(max(window.length for window in windows) + MARGIN) // STEP) * STEP)
    encoded = prepared(engine, windows, size)
    _read(engine, windows, encoded, {"beam_size": beam}, short=True)
    _in_other_languages(engine, windows, encoded, beam)
    for window in windows:
        _look_at(engine, window)
    finish(engine, windows, encoded)


def read_again(engine: Engine, windows: Sequence[Window], beam: int, silent: float, temperatures: Sequence[float]) -> None:
    """The same in full windows, as the library reads them; of both readings the better one by its measure is kept.

    What is doubtful then, the library has to go on with. Above a probability of silence of `silent` nobody speaks in what is improbable.
    `temperatures` are tried one after the other.
    """
    before = [window.reading if window.doubt not in ("nothing", "unread") else None for window in windows]
    encoded = prepared(engine, windows, FULL)
    _read(engine, windows, encoded, {"beam_size": beam})
    for window, first in zip(windows, before, strict=True):
        window.reading = max(filter(None, (window.reading, first)), key=_worth)
    _by_chance(engine, windows, encoded, temperatures)
    for window in windows:
        segment(engine, window)
        window.doubt = "unread" if unread(window) else ""
        if window.read.likely <= LIKELY and window.read.silent > silent:
            window.segments, window.doubt = [], ""
    finish(engine, windows, encoded)


def _read(engine: Engine, windows: Sequence[Window], encoded: Any, how: Mapping[str, Any], *, short: bool = False) -> None:
    """In the likeliest language."""
    languages = [window.languages[0][0] for window in windows]
    for window, reading in zip(windows, generate(engine, windows, languages, encoded, how, short=short), strict=True):
        window.reading = reading


def _in_other_languages(engine: Engine, windows: Sequence[Window], encoded: Any, beam: int) -> None:
    """What is unclear is read in the next likeliest languages too, from the same encoding, and the best reading is kept."""
    unsure = [row for row, window in enumerate(windows) if window.read.loose or _unsure(window)]
    others = [(row, language) for row in unsure for language, _ in windows[row].languages[1:LANGUAGES]]
    if not others:
        return
    rows = [row for row, _ in others]
    asked = [windows[row] for row in rows]
    spoken = [language for _, language in others]
    readings = generate(engine, asked, spoken, chosen(encoded, rows), {"beam_size": beam}, short=True)
    for window, reading in zip(asked, readings, strict=True):
        prior = dict(window.languages)
        window.reading = max(window.read, reading, key=lambda one: _worth(one, PRIOR * math.log(prior[one.language])))


def _unsure(window: Window) -> bool:
    return window.languages[0][1] < SURE and window.read.likely < CLEAR


def _worth(reading: Reading, prior: float = 0.0) -> tuple[bool, float]:
    return not reading.loose, reading.likely + prior


def _by_chance(engine: Engine, windows: Sequence[Window], encoded: Any, temperatures: Sequence[float]) -> None:
    """What repeats itself in both readings is tried again with chance, as the library does; of what is never good the likeliest is taken.

    What is merely improbable by now was read in four languages and in two windows, and chance has never made it better: over 104 clips
    the word errors were the same with these tries and without them, which took 28 % of the processor's time of 32 notes.
    """
    for temperature in filter(None, temperatures):
        left = [row for row, window in enumerate(windows) if get_compression_ratio(window.read.text) > DENSE]
        if not left:
            return
        some = [windows[row] for row in left]
        how = {"beam_size": 1, "num_hypotheses": BEST_OF, "sampling_topk": 0, "sampling_temperature": temperature}
        readings = generate(engine, some, [window.read.language for window in some], chosen(encoded, left), how)
        for window, reading in zip(some, readings, strict=True):
            window.reading = max(window.read, reading, key=_dense_last)


def _dense_last(reading: Reading) -> tuple[bool, float]:
    return get_compression_ratio(reading.text) <= DENSE, reading.likely


def _look_at(engine: Engine, window: Window) -> None:
    segment(engine, window)
    doubts = {
        "nothing": not window.read.text,
        "improbable": window.read.likely < LIKELY,
        "unread": unread(window) or window.length - window.segments[-1]["end"] * 100 > 2 * UNREAD,
    }
    window.doubt = window.read.loose or next((name for name, there in doubts.items() if there), "")
