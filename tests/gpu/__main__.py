"""Measures on a GPU what is named, or all, one after the other: each ends with what it needs and does not find."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

PARTS = ("parking", "chat", "images", "speech")


def main(names: Sequence[str]) -> int:
    unknown = set(names) - set(PARTS)
    if unknown:
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)  # noqa: T201
        return 2
    codes: list[int] = [import_module(f"tests.gpu.{name}").main() for name in names or PARTS]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
