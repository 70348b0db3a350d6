"""Reads Markdown within what a text may cost those who wait meanwhile. Drawing it: Telegram's `rendering.py`, the pages' `markdown.py`."""

from __future__ import annotations

from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table

MOST_CELLS = 1_000
"""Cells of all tables of one text that are drawn; a table that is larger than what is left of them stands there as it was written.

Short rows are filled up to the header's columns, so 1,446 characters make 65,160 cells, each of which takes 15 µs of the processor on a
page, and 30 on Telegram, where a table of a thousand cells fits into no message.
"""


def parser(**options: Any) -> MarkdownIt:
    """CommonMark with tables and struck words; HTML is words like any other. `options` are the library's."""
    made = MarkdownIt("commonmark", {"html": False, **options}).enable(["table", "strikethrough"])
    made.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    return made


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The library's rule, but for tables that are too large: those are code."""
    if silent or not table(state, start, end, True):
        return bool(table(state, start, end, silent))
    after, columns = _end(state, start, end), state.src[state.bMarks[start + 1] : state.eMarks[start + 1]].strip(" \t|").count("|") + 1
    cells, left = columns * (after - start - 1), state.env.setdefault("cells", MOST_CELLS)
    if cells <= left:
        state.env["cells"] -= cells
        return bool(table(state, start, end, False))
    token = state.push("code_block", "code", 0)
    token.content, token.map = state.getLines(start, after, state.blkIndent, False), [start, after]
    state.line = after
    return True


def _end(state: StateBlock, start: int, end: int) -> int:
    """The line behind the last row."""
    ending = state.md.block.ruler.getRules("blockquote")
    for line in range(start + 2, end):
        over = state.isEmpty(line) or state.sCount[line] < state.blkIndent or state.is_code_block(line)
        if over or any(rule(state, line, end, True) for rule in ending):
            return line
    return end
