"""Cuts a long Markdown text into pieces that a platform takes, each readable by itself. How many pieces are too many: `posts.py`."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable

from bot.connector import Limits

BREAKS = ("\n\n", "\n", ". ", "。", "! ", "? ", "！", "？", "; ", ", ", "，", "、", " ")
"""Where a cut hurts least, best first: paragraph, line, sentence, clause, word; scripts without spaces have their own."""

MARK = re.compile(r"`{3,12}|~{3,12}")
FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,12}|~{3,12})(?P<language>[^\n`~]*)$", re.MULTILINE)

WHOLE = re.compile(
    r"(?m:^ {0,3}(?:`{3,12}|~{3,12})[^\n]*)|!?\[[^\]\n]*\]\([^)\s]*\)|https?://\S+|(?<!`)(?P<ticks>`+)(?!`)[^\n]+?(?<!`)(?P=ticks)(?!`)"
)
"""What is not cut, unless it would leave a piece almost empty: where code begins, links, addresses, code within a line."""

JOINER = "\u200d"
"""Makes one emoji of several."""


def split(text: str, limit: int, size: Callable[[str], int] = len, most: int | None = None) -> list[str]:
    """Pieces that `size` calls at most `limit` long, in order; together they say all that the text says.

    A code block that is cut is closed in one piece and opened again, with its language, in the next. Behind `most` pieces comes the rest,
    however long: a plugin may say a hundred million letters, which nobody cuts while others wait. `size` is never less than `len`.
    """
    pieces: list[str] = []
    opening = ""
    rest = text.strip()
    if len(rest) <= limit and size(rest) <= limit:
        return [rest]
    reserve = 1 + max((len(fence["mark"]) for fence in FENCE.finditer(text)), default=3)
    while len(pieces) != most and (len(rest) > limit or size(opening) + size(rest) > limit):
        room = limit - size(opening) - reserve
        at = _cut(rest, bisect_right(range(min(len(rest), room) + 1), room, key=lambda end: size(rest[:end])) - 1)
        piece = opening + rest[:at].rstrip()
        opening = _open_fence(opening + rest[:at], limit)
        rest = rest[at:].lstrip("\n" if opening or rest[at - 1] == "\n" else " \n")  # a line's indentation says where it belongs
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
            return _before_whole(text, at + len(mark), room)
    return _before_whole(text, _between_letters(text, room), room)


def _before_whole(text: str, at: int, room: int) -> int:
    """Where to cut instead, when something that belongs together would be cut."""
    for found in WHOLE.finditer(text, 0, min(len(text), 2 * room)):
        if found.start() < at < found.end():
            return found.start() if found.start() > room // 4 else at
    return at


def _between_letters(text: str, at: int) -> int:
    """The end of the letter before, because accents and joined emoji are one letter with what they follow; no letter has 32 of them."""
    for end in range(at, max(0, at - 32), -1):
        following = text[end : end + 1]
        if not (following in (JOINER, "\ufe0f", "\ufe0e") or unicodedata.combining(following or " ") or text[end - 1] == JOINER):
            return end
    return at


def beginning(text: str, limits: Limits) -> str:
    """As much of a text as one message takes, readable by itself."""
    return text if limits.size(text) <= limits.text else split(text[: 2 * limits.text], limits.text, limits.size)[0]


def _open_fence(text: str, limit: int) -> str:
    """The line that opened the code block in which the text ends, or ""; without its language when that would fill a piece."""
    mark = language = ""
    for fence in FENCE.finditer(text):
        if not mark:
            mark, language = fence["mark"], fence["language"] if fence.end() < len(text) else ""  # a cut line is said once
        elif fence["mark"].startswith(mark) and not fence["language"].strip():
            mark = ""
    return f"{mark}{language if len(language) < limit // 4 else ''}\n" if mark else ""
