"""Shows a pull as progress bars in a terminal, as one line per step elsewhere, or as JSON. What there is to show: `steps.py`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from bot.pull.steps import Step, Tell

EVERY = 0.3
"""Seconds between two lines of JSON about the same thing."""


@contextmanager
def bars(console: Console) -> Iterator[Tell]:
    """Gives the function to hand to `pull`; the bars stand until the block ends."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        yield _bars(progress)


def reported(out: TextIO) -> Tell:
    """The function to hand to `pull` that writes steps as lines of JSON, a few a second."""
    last: dict[str, tuple[str, float]] = {}

    def tell(step: Step) -> None:
        doing, at = last.get(step.model, ("", 0.0))
        if step.doing != doing or time.monotonic() - at > EVERY or 0 < step.total <= step.done:
            last[step.model] = step.doing, time.monotonic()
            out.write(f"{json.dumps(asdict(step))}\n")
            out.flush()

    return tell


def _lines(console: Console) -> Tell:
    said: set[tuple[str, str]] = set()

    def tell(step: Step) -> None:
        if (step.model, step.doing) not in said:
            said.add((step.model, step.doing))
            console.print(f"{step.model}: {step.doing}", highlight=False, soft_wrap=True)

    return tell


def _bars(progress: Progress) -> Tell:
    tasks: dict[str, TaskID] = {}

    def tell(step: Step) -> None:
        if step.model not in tasks:
            tasks[step.model] = progress.add_task(step.model, total=None)
        total = step.total or None
        progress.update(tasks[step.model], description=f"{step.model}: {step.doing}", completed=step.done, total=total)

    return tell
