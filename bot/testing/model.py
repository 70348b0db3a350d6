"""Runs a model half by itself, without a worker: jobs in, results and partials out. With a chat around it: `room.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.jobs import Job, Partial, Result
from bot.messages import Blob
from bot.models import Batch, Model


@dataclass(slots=True)
class Done:
    """A job, and what came of it: a `result`, or the reason why it `failed`, or neither; and the `partials` before that."""

    job: Job[Any]
    cancelled: bool = False
    result: Result | None = None
    failed: str | None = None
    partials: list[Partial] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def emit(self, partial: Partial) -> None:
        """Keeps it."""
        self.partials.append(partial)

    def finish(self, result: Result) -> None:
        """The first of `finish` and `fail` counts."""
        if self.result is None and self.failed is None:
            self.result = result

    def fail(self, reason: str) -> None:
        """See `finish`."""
        if self.result is None and self.failed is None:
            self.failed = reason

    def refuse(self, reason: str) -> None:
        """As `fail`; the person reads the reason."""
        self.fail(reason)

    def read(self, blob: Blob) -> bytes:
        """What `run` was given under its id, or what was kept."""
        return self.blobs[blob.id]

    def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        """Ids count up."""
        blob = Blob(f"kept-{len(self.blobs) + 1}", mime, len(content), name)
        self.blobs[blob.id] = content
        return blob


class _Together(Batch[Any, Any]):
    """All of them from the start; nobody joins, and no other model is due."""

    over = False

    def __init__(self, works: Sequence[Done]) -> None:
        self._works = works

    def __iter__(self) -> Iterator[Any]:
        return iter(self._works)

    def join(self, free: int) -> Sequence[Any]:
        return ()


def run(model: Model[Any, Any], *jobs: Job[Any], cancelled: Collection[int] = (), blobs: dict[str, bytes] | None = None) -> list[Done]:
    """What a loaded model makes of these jobs in one batch. Those at the places in `cancelled` are so from the start; `blobs` by id."""
    works = [Done(job, at in cancelled, blobs=dict(blobs or {})) for at, job in enumerate(jobs)]
    model.run(_Together(works))
    return works
