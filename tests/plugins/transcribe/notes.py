"""Clips in the hands of the model, and what it does with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot import Blob, Partial, TextSoFar, Transcribe, Transcript, Work


@dataclass
class Note:
    """A job in the hands of the model, and what it does with it."""

    job: Transcribe
    content: bytes
    cancel_after: int | None = None
    shown: list[str] = field(default_factory=list)
    results: list[Transcript] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def cancelled(self) -> bool:
        return self.cancel_after is not None and len(self.shown) >= self.cancel_after

    def emit(self, partial: Partial) -> None:
        assert isinstance(partial, TextSoFar)
        self.shown.append(partial.text)

    def finish(self, result: Transcript) -> None:
        self.results.append(result)

    def fail(self, reason: str) -> None:
        self.failures.append(reason)

    def refuse(self, sentence: str) -> None:
        self.refused.append(sentence)

    def read(self, blob: Blob) -> bytes:
        assert blob == self.job.audio
        return self.content

    def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        raise AssertionError("a transcript needs no blobs")


class Notes(list[Note]):
    """A batch, which those that come `later` join while there is room; `over` as soon as a text was handed in, where it `ends`."""

    def __init__(self, notes: Iterable[Note], later: Iterable[Note] = (), *, ends: bool = False) -> None:
        super().__init__(notes)
        self._later = list(later)
        self._ends = ends

    @property
    def over(self) -> bool:
        return self._ends and any(one.results for one in self)

    def join(self, free: int) -> Sequence[Work[Transcribe, Transcript]]:
        joining, self._later = self._later[:free], self._later[free:]
        self += joining
        return joining


def note(content: bytes, cancel_after: int | None = None, **asked: Any) -> Note:
    blob = Blob("clip", "audio/flac", len(content))
    return Note(Transcribe(audio=blob, **asked), content, cancel_after)
