"""Subtitles as another library reads them, strictly."""

from __future__ import annotations

from itertools import pairwise

import webvtt


def cues(content: str, format: str) -> list[tuple[float, float, str]]:
    """(start, end, text) in seconds of WebVTT (`vtt`) or SubRip (`srt`)."""
    found = webvtt.from_buffer(content.splitlines(), format=format, strict=True)
    return [(_seconds(cue.start), _seconds(cue.end), cue.text) for cue in found.captions]


def _seconds(stamp: str) -> float:
    hours, minutes, seconds = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def check_times(found: list[tuple[float, float, str]], length: float) -> None:
    """They increase and lie within the file."""
    assert all(0.0 <= start < end <= length for start, end, _ in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
