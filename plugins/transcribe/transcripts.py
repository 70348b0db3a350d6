"""Transcripts of clips become one, and words to be trusted less are found; pure functions. What the chat sees: `writing.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, zip_longest

from pydantic import TypeAdapter

from bot import Segment, Transcript, Word
from plugins.transcribe.languages import UNSPACED

DOUBTFUL = 0.35
"""A word of which the model is less certain is marked. Of the words that whisper-base mishears in clean speech, it finds about half."""

PARAGRAPH = 60.0
"""Seconds after which a long text begins a new paragraph."""

Rows = list[tuple[float, float, str, int, list[tuple[float, float, str, float]]]]
"""Segments as start, end, text, speaker, words; these as start, end, text, probability. Times have milliseconds, as in subtitles."""

rows_json: TypeAdapter[Rows] = TypeAdapter(Rows)


@dataclass(frozen=True, slots=True)
class Whole:
    """What was said in a whole recording of so many `seconds`, by so many `speakers`, 0 where nobody told them apart.

    `parts` are the clips in which somebody spoke, as JSON of `Rows`: as objects the words of three hours take twelve times as much.
    """

    language: str
    seconds: float
    model: str
    speakers: int
    parts: tuple[bytes, ...]

    @property
    def segments(self) -> Iterator[Segment]:
        """From the beginning at every call; only those of one clip are in memory."""
        for part in self.parts:
            for start, end, text, speaker, words in rows_json.validate_json(part):
                yield Segment(start=start, end=end, text=text, speaker=speaker, words=tuple(map(_word, words)))


NOTHING = Whole("", 0.0, "", 0, ())


def _word(row: tuple[float, float, str, float]) -> Word:
    start, end, text, probability = row
    return Word(start=start, end=end, text=text, probability=probability)


def joined(before: Whole, part: Transcript, start: float) -> Whole:
    """The transcript so far and that of the next clip, which begins `start` seconds into the recording."""
    seconds, said = start + part.seconds, part.segments
    if not said:
        return Whole(before.language, seconds, part.model, before.speakers, before.parts)
    speakers = max(before.speakers, *(one.speaker for one in said))  # they are numbered as they are first heard
    return Whole(part.language, seconds, part.model, speakers, (*before.parts, _packed(said, start)))


def _packed(segments: Iterable[Segment], start: float) -> bytes:
    def at(seconds: float) -> float:
        return round(seconds + start, 3)

    def rows(words: Iterable[Word]) -> list[tuple[float, float, str, float]]:
        return [(at(one.start), at(one.end), one.text, round(one.probability, 4)) for one in words]

    return rows_json.dump_json([(at(one.start), at(one.end), one.text, one.speaker, rows(one.words)) for one in segments])


def plain(segments: Iterable[Segment], language: str) -> str:
    """Some segments in one line, as a person would have typed them."""
    return gap(language).join(segment.text.strip() for segment in segments).strip()


def together(segments: Iterable[Segment], language: str) -> str:
    """The same, with a mark behind each doubtful word."""
    return gap(language).join(_marked(segment, language) for segment in segments).strip()


def gap(language: str) -> str:
    """What stands between two words."""
    return "" if language in UNSPACED else " "


def _marked(segment: Segment, language: str) -> str:
    """A mark stands for all doubtful words in a row, of which there are many where words are single letters."""
    words = segment.words
    if not any(doubtful(word) for word in words):
        return segment.text.strip()
    ends = [doubtful(word) and not (after and doubtful(after)) for word, after in zip_longest(words, words[1:])]
    return gap(language).join(f"{word.text} (?)" if end else word.text for word, end in zip(words, ends, strict=True))


def spelt(words: Iterable[Word], language: str) -> str:
    """Words in one line."""
    return gap(language).join(word.text for word in words)


def doubtful(word: Word) -> bool:
    """Whether it is likely to be another word."""
    return word.probability < DOUBTFUL


def turns(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """The segments, a new list wherever another one speaks."""
    return (list(said) for _, said in groupby(segments, key=lambda one: one.speaker))


def paragraphs(segments: Iterable[Segment], seconds: float = PARAGRAPH) -> Iterator[list[Segment]]:
    """The segments, a new list with the first one that begins that long or longer after its list began."""
    found: list[Segment] = []
    for segment in segments:
        if found and segment.start - found[0].start >= seconds:
            yield found
            found = []
        found.append(segment)
    if found:
        yield found


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, as on a player: 1:05, 1:00:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
