"""Markdown becomes a text with styles, block by block. What a text with styles is: `styled.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import cache, lru_cache
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.connectors.telegram.styled import INERT_AT, Styled, Writer, linkable, plain, units
from bot.connectors.telegram.tables import drawn
from bot.markup import parser

RULE = "—" * 12
BULLET = "•"
INDENT = "   "

INLINE = {"strong": "bold", "em": "italic", "s": "strikethrough"}

REMEMBERED = 256
"""Texts whose rendering is remembered, because a text is measured, cut and sent one after the other."""


@lru_cache(maxsize=REMEMBERED)
def rendered(markdown: str, at: str = INERT_AT) -> Styled:
    """The text that people see, and its styles; as it was written, where these are nested too deeply. `at` is written for an @."""
    writer = Writer(at)
    try:
        _Blocks(writer).write(SyntaxTreeNode(_parser().parse(markdown)).children)
    except RecursionError:
        return plain(markdown)
    return writer.done()


def length(markdown: str) -> int:
    """What Telegram's limits count: UTF-16 units of the text without its mark-up."""
    return units(rendered(markdown).text)


@cache
def _parser() -> MarkdownIt:
    return parser().disable("html_block").disable("html_inline")


class _Blocks:
    """Writes blocks; `indent` stands before every line of a list's item."""

    def __init__(self, writer: Writer, indent: str = "") -> None:
        self._writer = writer
        self._indent = indent

    def write(self, nodes: Sequence[SyntaxTreeNode]) -> None:
        """One below the other, with an empty line between."""
        for number, node in enumerate(nodes):
            self._writer.gap(2 if number else 0)
            self._block(node)

    def _block(self, node: SyntaxTreeNode) -> None:
        match node.type:
            case "heading":
                with self._writer.styled("bold"):
                    self._inline(node)
            case "paragraph":
                self._inline(node)
            case "bullet_list" | "ordered_list":
                self._list(node)
            case "blockquote":
                with self._writer.styled("blockquote"):
                    _Blocks(self._writer).write(node.children)
            case "fence" | "code_block":
                self._code(node.content.rstrip("\n"), _language(node.info))
            case "table":
                self._code(drawn(_cells(node)), None)
            case "hr":
                self._writer.write(RULE)

    def _code(self, text: str, language: str | None) -> None:
        if text.strip():
            with self._writer.styled("pre", language=language):
                self._writer.write(text.rstrip())

    def _list(self, node: SyntaxTreeNode) -> None:
        start = int(node.attrs.get("start", 1))
        for number, item in enumerate(node.children, start):
            self._writer.gap(1)
            mark = BULLET if node.type == "bullet_list" else f"{number}."
            self._writer.write(f"{self._indent}{mark} ")
            _Blocks(self._writer, self._indent + INDENT).item(item)

    def item(self, node: SyntaxTreeNode) -> None:
        """The first paragraph stands behind the mark, all else below."""
        for number, block in enumerate(node.children):
            self._writer.gap(1 if number else 0)
            if number and block.type == "paragraph":
                self._writer.write(self._indent)
            self._block(block)

    def _inline(self, node: SyntaxTreeNode) -> None:
        for inline in node.children:
            write_inline(self._writer, inline.children, self._indent)


def write_inline(writer: Writer, nodes: Sequence[SyntaxTreeNode], indent: str = "") -> None:
    """The words of a paragraph. What stands between two pairs of bars is a spoiler."""
    for hidden, pieces in groupby(_pieces(nodes), key=lambda piece: piece[0]):
        with writer.styled("spoiler") if hidden else nullcontext():
            for _, piece in pieces:
                if isinstance(piece, str):
                    writer.write(piece)
                else:
                    _write_node(writer, piece, indent)


def _pieces(nodes: Sequence[SyntaxTreeNode]) -> Iterator[tuple[bool, str | SyntaxTreeNode]]:
    """The words and nodes, each with whether it is hidden."""
    marks, hidden = _spoilers(nodes), False
    for number, node in enumerate(nodes):
        if node.type != "text":
            yield hidden, node
            continue
        at = 0
        for mark in (place for where, place in marks if where == number):
            yield hidden, node.content[at:mark]
            hidden, at = not hidden, mark + 2
        yield hidden, node.content[at:]


def _write_node(writer: Writer, node: SyntaxTreeNode, indent: str) -> None:
    match node.type:
        case "strong" | "em" | "s":
            with writer.styled(INLINE[node.type]):
                write_inline(writer, node.children, indent)
        case "code_inline":
            with writer.styled("code"):
                writer.write(node.content)
        case "link":
            _write_link(writer, node, indent)
        case "image":
            with writer.styled("text_link", url=str(node.attrs["src"])):
                writer.write(node.content or "🖼")
        case "softbreak" | "hardbreak":
            writer.write(f"\n{indent}")


def _write_link(writer: Writer, node: SyntaxTreeNode, indent: str) -> None:
    """A link whose target Telegram does not take tells it in words."""
    url = str(node.attrs["href"])
    with writer.styled("text_link", url=url):
        write_inline(writer, node.children, indent)
    if url and not linkable(url):
        writer.write(f" ({url})")


def _spoilers(nodes: Sequence[SyntaxTreeNode]) -> list[tuple[int, int]]:
    """Where the bars stand that open or close a spoiler: node and place in it, in pairs; those with a space within are none."""
    found: list[tuple[int, int]] = []
    for number, node in enumerate(nodes):
        for mark in re.finditer(r"\|\|", node.content) if node.type == "text" else ():
            closing = len(found) % 2
            beside = node.content[mark.start() - 1 : mark.start()] if closing else node.content[mark.end() : mark.end() + 1]
            if not beside.isspace():
                found.append((number, mark.start()))
    return found[: len(found) // 2 * 2]


def _language(info: str) -> str | None:
    """The language of a block of code, as far as it can be one."""
    found = re.match(r"[\w+#.-]{1,32}", info.strip(), re.ASCII)
    return found[0] if found else None


def _cells(table: SyntaxTreeNode) -> Iterator[list[tuple[str, str]]]:
    """Rows of cells: the words, and how they are aligned."""
    for row in (row for part in table.children for row in part.children):
        yield [(_plain(cell), str(cell.attrs.get("style", "")).removeprefix("text-align:")) for cell in row.children]


def _plain(cell: SyntaxTreeNode) -> str:
    writer = Writer()
    for inline in cell.children:
        write_inline(writer, inline.children)
    return writer.done().text.replace("\n", " ")
