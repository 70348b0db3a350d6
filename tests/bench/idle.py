"""What plugins cost that have nothing to say: new projects of `hobnob plugins new`, as a router loads them. Beside an echo: `core.py`."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bot.cli.scaffolding import files
from bot.config import Config, PluginTable
from bot.plugins import load
from tests.bench.figures import Figure
from tests.bench.forgetful import IDLE

RUNS = 5


def measure() -> dict[str, Figure]:
    """Of the median plugin; what the first one brings for all is Hobnob's own."""
    command = [sys.executable, "-c", "from tests.bench.idle import once; print(once())"]
    runs = [json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout) for _ in range(RUNS)]
    seconds, memory = zip(*runs, strict=True)
    return {
        "an idle plugin: to load": Figure.of([one * 1000 for one in seconds], "ms", None, "lower"),
        "an idle plugin: memory": Figure.of([one / 1000 for one in memory], "kB", None, "lower"),
    }


def once() -> list[float]:
    """Seconds and bytes, in a process that has loaded nothing before."""
    with tempfile.TemporaryDirectory() as folder:
        tables = {f"idle-{number}": _made(Path(folder), f"idle-{number}") for number in range(IDLE)}
        costs = [one.cost for one in load(Config(plugins=tables), "front").loaded.values()]
    return [statistics.median(cost.seconds for cost in costs), statistics.mean(cost.memory for cost in costs[1:])]


def _made(folder: Path, name: str) -> PluginTable:
    for path, text in files(name, "command").items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text, encoding="utf-8")
    return PluginTable(path=folder / name / f"hobnob_{name.replace('-', '_')}")
