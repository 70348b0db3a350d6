"""A transcript as files for other programs: TXT, SRT, WebVTT, JSON. What the chat sees of it: `writing.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from bot import Segment, Word, tr
from plugins.transcribe.transcripts import Whole, paragraphs, plain, spelt, turns

LONGEST_LINE = 84
"""Characters of a subtitle: two lines of 42, as broadcasters have them."""


def txt(whole: Whole) -> str:
    """The words, a paragraph a minute; of several speakers, one whenever another one speaks."""
    if whole.speakers > 1:
        return "\n\n".join(f"{named(part[0], '{}: ')}{plain(part, whole.language)}" for part in turns(whole.segments)) + "\n"
    return "\n\n".join(plain(part, whole.language) for part in paragraphs(whole.segments)) + "\n"


def srt(whole: Whole) -> str:
    """SubRip."""
    shown, who = enumerate(subtitles(whole), 1), whole.speakers > 1
    return "".join(
        f"{number}\n{_time(one.start, ',')} --> {_time(one.end, ',')}\n{named(one, '{}: ') if who else ''}{_safe(one.text)}\n\n"
        for number, one in shown
    )


def vtt(whole: Whole) -> str:
    """WebVTT, with its tags for voices."""
    shown, who = subtitles(whole), whole.speakers > 1
    return "WEBVTT\n\n" + "".join(
        f"{_time(one.start, '.')} --> {_time(one.end, '.')}\n{named(one, '<v {}>') if who else ''}{_safe(one.text)}\n\n" for one in shown
    )


def named(segment: Segment, form: str) -> str:
    """What a speaker is called whose name nobody knows, at the place that `form` has for it; nothing where nobody was told apart."""
    return form.format(tr("Speaker {n}", n=segment.speaker)) if segment.speaker else ""


def as_json(whole: Whole) -> str:
    """Everything that is known: language, model, segments with their speakers and words, their times in seconds and probabilities.

    Each segment has a line of its own.
    """
    facts = json.dumps({"language": whole.language, "seconds": whole.seconds, "model": whole.model}, ensure_ascii=False)
    said = ",\n".join(json.dumps(one.model_dump(), ensure_ascii=False) for one in whole.segments)
    return f'{facts[:-1]}, "segments": [\n{said}\n]}}\n'


def subtitles(whole: Whole) -> Iterator[Segment]:
    """Segments that fit on a screen, each of some length, none before the end of the one before."""
    end = 0.0
    for segment in (piece for one in whole.segments for piece in _split(one, whole.language)):
        start = max(segment.start, end)
        end = max(segment.end, start + 0.001)
        yield segment.model_copy(update={"start": start, "end": end})


def _split(segment: Segment, language: str) -> Iterator[Segment]:
    """A long segment is cut between its words, where their times are known."""
    if len(segment.text) <= LONGEST_LINE or not segment.words:
        yield segment
        return
    line: list[Word] = []
    for word in segment.words:
        if line and len(spelt([*line, word], language)) > LONGEST_LINE:
            yield _line(line, segment, language)
            line = []
        line.append(word)
    yield _line(line, segment, language)


def _line(words: Sequence[Word], of: Segment, language: str) -> Segment:
    return Segment(start=words[0].start, end=words[-1].end, text=spelt(words, language), speaker=of.speaker)


def _safe(text: str) -> str:
    """In one line, and without what ends a cue or begins markup."""
    return " ".join(text.split()).replace("-->", "→").replace("&", "&amp;").replace("<", "&lt;")


def _time(seconds: float, mark: str) -> str:
    thousandths = round(seconds * 1000)
    return f"{thousandths // 3_600_000:02d}:{thousandths // 60_000 % 60:02d}:{thousandths // 1000 % 60:02d}{mark}{thousandths % 1000:03d}"


ALL: Mapping[str, tuple[str, Callable[[Whole], str]]] = MappingProxyType(
    {
        "txt": ("text/plain", txt),
        "srt": ("application/x-subrip", srt),
        "vtt": ("text/vtt", vtt),
        "json": ("application/json", as_json),
    }
)
"""Media type and writer, by the ending of the file's name."""
