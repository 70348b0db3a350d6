"""What is read of Markdown, whatever draws it."""

from __future__ import annotations

import pytest

from bot.markup import MOST_CELLS, parser


def table(columns: int, rows: int) -> str:
    """Of these rows below the first, the last of them too short."""
    line = "|a" * columns + "|\n"
    return line + "|-" * columns + "|\n" + line * (rows - 1) + "a\n"


@pytest.mark.parametrize(("before", "indent"), [("", ""), ("> ", "> "), ("- ", "  ")])
def test_a_table_that_is_too_large_is_shown_as_it_was_written(before: str, indent: str) -> None:
    fits, more = table(10, MOST_CELLS // 10 - 1), table(10, MOST_CELLS // 10)
    within = [(before + source.rstrip().replace("\n", f"\n{indent}") + "\n\nb", source) for source in (fits, more)]

    drawn, plain = (parser().parse(text) for text, _ in within)

    assert sum(token.type in ("th_open", "td_open") for token in drawn) == MOST_CELLS
    assert [token.type for token in plain if "inline" not in token.type and token.nesting == 0] == ["code_block"]
    assert next(token.content.rstrip() for token in plain if token.type == "code_block") == more.rstrip()
    assert plain[-2].content == "b"


def test_all_tables_of_a_text_share_its_cells_and_a_small_one_still_finds_room_behind_a_large_one() -> None:
    half = table(5, MOST_CELLS // 10 - 1)

    kinds = [
        token.type for token in parser().parse("\n".join((half, table(181, 360), half, half))) if token.type in ("table_open", "code_block")
    ]

    assert kinds == ["table_open", "code_block", "table_open", "code_block"]


def test_what_ends_a_table_ends_one_that_is_too_large() -> None:
    tokens = parser().parse(table(10, MOST_CELLS) + "> b\n")

    assert [token.type for token in tokens] == [
        "code_block",
        "blockquote_open",
        "paragraph_open",
        "inline",
        "paragraph_close",
        "blockquote_close",
    ]
