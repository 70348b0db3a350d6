"""Measures the parts that are named on the command line, or all. `--quick` repeats little, `--json` prints for programs."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from importlib import import_module
from pathlib import Path

from bot import log
from bot.config import LogTable
from tests.bench import report
from tests.bench.figures import Part, keep, kept, measured, show

PARTS = ("core", "queue", "sizes", "chat", "images", "speech", "mixed", "dashboards")
"""Modules of this folder; each is imported when it is measured, because they load very different libraries."""

QUICK = ("core", "chat", "images", "speech")
"""Those of which a little can be measured in half a minute."""

LONG = ("foretold", "recovery", "recordings")
"""Those that take long, which are measured when they are named."""


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=(*PARTS, *LONG, []), metavar="PART", help=", ".join(PARTS + LONG))
    parser.add_argument("--quick", action="store_true", help="less of it; not kept")
    parser.add_argument("--json", action="store_true", help="prints JSON instead of tables")
    parser.add_argument("--report", action="store_true", help="measures nothing: writes docs/benchmarks.md of what was measured last")
    given = parser.parse_args(words)
    if given.quick and (long := set(given.parts) - set(QUICK)):
        parser.error(f"a little of {', '.join(sorted(long))} says nothing; --quick is for {', '.join(QUICK)}")
    if given.report:
        report.write({name: kept(name) for name in PARTS + LONG})
        return 0
    found = {}
    for name in given.parts or (QUICK if given.quick else PARTS):
        found[name] = _measure(name, quick=given.quick)
        if not given.json:
            show(name, found[name])
    if given.json:
        print(json.dumps({name: asdict(part) for name, part in found.items()}, ensure_ascii=False))  # noqa: T201
    return 0


def _measure(name: str, *, quick: bool) -> Part:
    module = import_module(f"tests.bench.{name}")
    if quick:
        return measured(partial(module.measure, quick=True))
    part = measured(module.measure)
    keep(name, part)
    return part


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # people's Python keeps what it compiled; in a container everything may be new
    with Path(os.devnull).open("w") as nobody:
        log.setup(LogTable(format="json"), stream=nobody)  # what is measured writes its log, as in operation
        raise SystemExit(main())
