"""Shows a pull as progress bars in a terminal, and as one line per step elsewhere. What there is to show: `steps.py`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from bot.pull.steps import Step, Tell


@contextmanager
def bars(console: Console) -> Iterator[Tell]:
    """Gives the function to hand to `pull`; the bars stand until the block ends."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        yield _bars(progress)


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
