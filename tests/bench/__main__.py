"""Measures the parts that are named on the command line, or all."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

from bot import log
from bot.config import LogTable
from tests.bench.figures import publish

PARTS = ("core", "queue", "sizes", "chat", "images", "speech")
"""Modules of this folder; each is imported when it is measured, because they load very different libraries."""

LONG = ("recordings",)
"""Those that take most of an hour, which are measured when they are named."""


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS + LONG]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS + LONG)}", file=sys.stderr)  # noqa: T201
        return 2
    with Path(os.devnull).open("w") as nobody:
        log.setup(LogTable(format="json"), stream=nobody)  # what is measured writes its log, as in operation
        for name in names or PARTS:
            publish(name, import_module(f"tests.bench.{name}").measure())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
