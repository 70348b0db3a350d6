"""Cuts a long Markdown text into pieces that a platform takes, each readable by itself. How many pieces are too many: `posts.py`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

BREAKS = ("\n\n", "\n", ". ", "。", "! ", "? ", "！", "？", "; ", ", ", "，", "、", " ")
"""Where a cut hurts least, best first: paragraph, line, sentence, clause, word; scripts without spaces have their own."""

MARK = re.compile(r"```|~~~")
FENCE = re.compile(r"^(?P<mark>```|~~~)(?P<language>[^\n`~]*)$", re.MULTILINE)


def split(text: str, limit: int, size: Callable[[str], int] = len) -> list[str]:
    """Pieces that `size` calls at most `limit` long, in order; together they say all that the text says.

    A code block that is cut is closed in one piece and opened again, with its language, in the next.
    """
    pieces: list[str] = []
    opening = ""
    rest = text.strip()
    while size(opening) + size(rest) > limit:
        room = limit - size(opening) - size(_closing(opening or "```"))
        at = _cut(rest, bisect_right(range(len(rest) + 1), room, key=lambda end: size(rest[:end])) - 1)
        piece = opening + rest[:at].rstrip()
        opening = _open_fence(piece, limit)
        rest = rest[at:].lstrip("\n" if opening else " \n")
        pieces.append(piece + _closing(opening))
    return [*pieces, opening + rest]


def _closing(opening: str) -> str:
    """What ends the code block that `opening` began."""
    mark = MARK.match(opening)
    return f"\n{mark[0]}" if mark else ""


def _cut(text: str, room: int) -> int:
    """Where to cut within `room` characters: the best kind of break in the second half, else the hard limit."""
    for mark in BREAKS:
        at = text.rfind(mark, room // 2, room)
        if at > 0:
            return at + len(mark)
    return room


def _open_fence(text: str, limit: int) -> str:
    """The line that opened the code block in which the text ends, or ""; without its language when that would fill a piece."""
    mark = language = ""
    for fence in FENCE.finditer(text):
        if not mark:
            mark, language = fence["mark"], fence["language"]
        elif fence["mark"].startswith(mark) and not fence["language"].strip():
            mark = ""
    return f"{mark}{language if len(language) < limit // 4 else ''}\n" if mark else ""
