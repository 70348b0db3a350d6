"""A measured figure, the file it goes to, and the table that people read."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console
from rich.table import Table

FOLDER = Path("var/bench")


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of `n` runs; `spread` is the range of the runs as a part of the median. Without a `goal` it is there to be known."""

    value: float
    unit: str
    goal: float | None
    better: Literal["higher", "lower"]
    n: int
    spread: float

    @classmethod
    def of(cls, runs: Sequence[float], unit: str, goal: float | None = None, better: Literal["higher", "lower"] = "higher") -> Figure:
        middle = statistics.median(runs)
        return cls(round(middle, 3), unit, goal, better, len(runs), round((max(runs) - min(runs)) / middle, 3) if middle else 0.0)

    @property
    def missed(self) -> bool:
        if self.goal is None:
            return False
        return self.value < self.goal if self.better == "higher" else self.value > self.goal


def machine() -> str:
    """What it was measured on."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory} GiB, Python {platform.python_version()}"


def publish(part: str, figures: dict[str, Figure]) -> None:
    """Writes `var/bench/PART.json` and prints the same; a figure that misses its goal is marked."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), "figures": {name: asdict(figure) for name, figure in figures.items()}}
    (FOLDER / f"{part}.json").write_text(json.dumps(content, indent=2) + "\n")
    table = Table(title=f"{part}: {machine()}", title_justify="left", box=None)
    for column in ("figure", "value", "goal", "n", "spread", ""):
        table.add_column(column, justify="left" if column in ("figure", "") else "right")
    for name, one in figures.items():
        sign = "≥" if one.better == "higher" else "≤"
        goal, marks = ("", "") if one.goal is None else (f"{sign} {one.goal:,g}", "[red]missed[/]" if one.missed else "[green]ok[/]")
        table.add_row(name, f"{one.value:,g} {one.unit}", goal, str(one.n), f"{one.spread:.0%}", marks)
    Console().print(table)
