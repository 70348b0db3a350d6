"""A table in letters of one width. Where tables come from: `rendering.py`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

Cell = tuple[str, str]
"""The words, and `left`, `right`, `center` or "" for how they are aligned."""


def drawn(rows: Iterable[list[Cell]]) -> str:
    """The rows with aligned columns, a line below the first."""
    table = list(rows)
    widths = [max(map(width, column), default=0) for column in zip(*([text for text, _ in row] for row in table), strict=True)]
    lines = [" │ ".join(_aligned(cell, room) for cell, room in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([lines[0], "─┼─".join("─" * room for room in widths), *lines[1:]])


def _aligned(cell: Cell, room: int) -> str:
    text, align = cell
    left = room - width(text)
    match align:
        case "right":
            return " " * left + text
        case "center":
            return " " * (left // 2) + text + " " * (left - left // 2)
        case _:
            return text + " " * left


def width(text: str) -> int:
    """Columns that a terminal's letters take: ideographs and most emoji two, what stands on another letter none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
