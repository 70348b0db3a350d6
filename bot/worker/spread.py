"""Runs the jobs of a turn side by side, each in a thread of its own, for a model whose work another program does. Batches: `Model.run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

import structlog

from bot.models import Model
from bot.worker.diagnosis import diagnose
from bot.worker.work import Claimed

LOOK = 0.02
"""Seconds after which those who joined meanwhile are looked for."""

log = structlog.get_logger(__name__)


class Joinable(Protocol):
    """A turn, or a part of one."""

    def __iter__(self) -> Iterator[Claimed]:
        """Its jobs."""

    @property
    def over(self) -> bool:
        """See `bot.models.Batch`."""

    def join(self, free: int) -> Sequence[Claimed]:
        """See `bot.models.Batch`."""


class Single:
    """A batch of one job. Implements `bot.models.Batch`."""

    over = False

    def __init__(self, work: Claimed) -> None:
        self._work = work

    def __iter__(self) -> Iterator[Claimed]:
        """The job."""
        return iter((self._work,))

    def join(self, free: int) -> Sequence[Claimed]:
        """Nobody."""
        return ()


def spread(model: Model[Any, Any], batch: Joinable) -> None:
    """Returns when all jobs have ended that are in the batch or join it. A fault fails its own job alone.

    Raises MemoryError when some are left for whom there was no memory.
    """
    starved: list[Claimed] = []
    with ThreadPoolExecutor(model.concurrency, thread_name_prefix=model.name) as threads:
        running = {threads.submit(_one, model, work, starved) for work in batch}
        while running:
            running = _unfinished(running)
            running |= {threads.submit(_one, model, work, starved) for work in batch.join(model.concurrency - len(running))}
    if starved:
        raise MemoryError(f"{model.name} had no memory for {len(starved)} jobs")


def _unfinished(running: set[Future[None]]) -> set[Future[None]]:
    done, left = wait(running, timeout=LOOK, return_when=FIRST_COMPLETED)
    for one in done:
        one.result()
    return left


def _one(model: Model[Any, Any], work: Claimed, starved: list[Claimed]) -> None:
    reason = "the model returned without an answer"
    try:
        model.run(Single(work))
    except Exception as error:  # any library below a model may raise anything
        if diagnose(error) == "memory":
            work.pause()
            starved.append(work)
            return
        log.exception("a job failed", model=model.name, job=work.claim.id)
        reason = f"{type(error).__name__}: {error}"
    if work.cancelled:
        work.drop()
    else:
        work.fail(reason)
