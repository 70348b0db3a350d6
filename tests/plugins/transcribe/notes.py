"""Clips in the hands of the model, and what it does with them."""

from __future__ import annotations

from collections.abc import Sequence
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
        raise AssertionError(f"nothing was to be refused, found {sentence!r}")

    def read(self, blob: Blob) -> bytes:
        assert blob == self.job.audio
        return self.content

    def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        raise AssertionError("a transcript needs no blobs")


class Notes(list[Note]):
    """A batch that nothing joins."""

    over = False

    def join(self, free: int) -> Sequence[Work[Transcribe, Transcript]]:
        return ()


def note(content: bytes, cancel_after: int | None = None, **asked: Any) -> Note:
    blob = Blob("clip", "audio/flac", len(content))
    return Note(Transcribe(audio=blob, **asked), content, cancel_after)
