"""Transcripts of clips become one, and words to be trusted less are found; pure functions. What the chat sees: `writing.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, zip_longest

from bot import Segment, Transcript, Word
from plugins.transcribe.languages import UNSPACED

DOUBTFUL = 0.35
"""A word of which the model is less certain is marked. Of the words that whisper-base mishears in clean speech, it finds about half."""

PARAGRAPH = 60.0
"""Seconds after which a long text begins a new paragraph."""

NOTHING = Transcript(language="", seconds=0.0, segments=(), model="")


def joined(before: Transcript, part: Transcript, start: float) -> Transcript:
    """The transcript so far and that of the next clip, which begins `start` seconds into the recording."""
    moved = tuple(_moved(segment, start) for segment in part.segments)
    language = part.language if moved else before.language
    return Transcript(language=language, seconds=start + part.seconds, segments=before.segments + moved, model=part.model)


def _moved(segment: Segment, by: float) -> Segment:
    words = tuple(word.model_copy(update={"start": word.start + by, "end": word.end + by}) for word in segment.words)
    return segment.model_copy(update={"start": segment.start + by, "end": segment.end + by, "words": words})


def plain(transcript: Transcript) -> str:
    """The words in one line, as a person would have typed them."""
    return _gap(transcript.language).join(segment.text.strip() for segment in transcript.segments).strip()


def marked(transcript: Transcript) -> str:
    """The same, with a mark behind each doubtful word."""
    return together(transcript.segments, transcript.language)


def together(segments: Iterable[Segment], language: str) -> str:
    """Some segments in one line, with a mark behind each doubtful word."""
    return _gap(language).join(_marked(segment, language) for segment in segments).strip()


def _gap(language: str) -> str:
    return "" if language in UNSPACED else " "


def _marked(segment: Segment, language: str) -> str:
    """A mark stands for all doubtful words in a row, of which there are many where words are single letters."""
    words = segment.words
    if not any(doubtful(word) for word in words):
        return segment.text.strip()
    ends = [doubtful(word) and not (after and doubtful(after)) for word, after in zip_longest(words, words[1:])]
    return _gap(language).join(f"{word.text} (?)" if end else word.text for word, end in zip(words, ends, strict=True))


def spelt(words: Iterable[Word], language: str) -> str:
    """Words in one line."""
    return _gap(language).join(word.text for word in words)


def doubtful(word: Word) -> bool:
    """Whether it is likely to be another word."""
    return word.probability < DOUBTFUL


def turns(segments: Iterable[Segment]) -> list[list[Segment]]:
    """The segments, a new list wherever another one speaks."""
    return [list(said) for _, said in groupby(segments, key=lambda one: one.speaker)]


def several(transcript: Transcript) -> bool:
    """Whether more than one speaker was told apart in it."""
    return len({one.speaker for one in transcript.segments} - {0}) > 1


def paragraphs(segments: Sequence[Segment], seconds: float = PARAGRAPH) -> list[list[Segment]]:
    """The segments, a new list with the first one that begins that long or longer after its list began."""
    found: list[list[Segment]] = []
    for segment in segments:
        if not found or segment.start - found[-1][0].start >= seconds:
            found.append([])
        found[-1].append(segment)
    return found


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, as on a player: 1:05, 1:00:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
