"""Measures the parts that are named on the command line, or all."""

from __future__ import annotations

import sys

from tests.bench import core, fairness
from tests.bench.figures import publish

PARTS = {"core": core.measure, "queue": fairness.measure}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)  # noqa: T201
        return 2
    for name in names or PARTS:
        publish(name, PARTS[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
