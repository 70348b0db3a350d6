"""Long answers in pieces."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bot.connector import Limits
from bot.router.splitting import split

LIMIT = 120
WORDS = st.sampled_from(["hello ", "a\n", "\n\n", "```python\n", "\n```\n", "~~~\n", "x" * 50, "好的。", "你好", "end. ", "`", "```", " "])


def bare(text: str) -> str:
    """What is said, without white space, and then without fences and their language, which a cut may have parted."""
    return re.sub(r"```|~~~|python", "", re.sub(r"\s+", "", text))


@example("hello hello " + "x" * 100 + "```python\n")
@given(st.lists(WORDS, max_size=80).map("".join))
def test_every_piece_fits_and_nothing_is_lost(text: str) -> None:
    pieces = split(text, LIMIT)
    assert all(len(piece) <= LIMIT for piece in pieces)
    assert bare("\n".join(pieces)) == bare(text)


def test_a_text_that_fits_is_one_piece() -> None:
    assert split("short", LIMIT) == ["short"]


def test_a_cut_falls_between_paragraphs_before_it_falls_between_words() -> None:
    first, second = "one " * 20, "two " * 20
    assert split(f"{first.strip()}\n\n{second.strip()}", LIMIT) == [first.strip(), second.strip()]


def test_a_code_block_is_closed_and_opened_again_with_its_language() -> None:
    code = "\n".join(f"print({number})" for number in range(30))
    pieces = split(f"Look:\n```python\n{code}\n```\nDone.", LIMIT)
    assert len(pieces) > 2
    assert all(piece.count("```") % 2 == 0 for piece in pieces)
    assert all(piece.startswith("```python\n") for piece in pieces[1:])
    assert [line for piece in pieces for line in piece.split("\n") if line.startswith("print")] == code.split("\n")


def test_chinese_is_cut_after_a_full_stop() -> None:
    pieces = split("今天天气很好，我们去公园散步。" * 12, LIMIT)
    assert all(piece.endswith("。") for piece in pieces)


def test_pieces_fit_as_the_platform_counts() -> None:
    limits = Limits(text=LIMIT, file=0, edit_interval=0.0, utf16=True)
    pieces = split("😀" * 3 * LIMIT, LIMIT, limits.size)
    assert max(map(limits.size, pieces)) <= LIMIT
    assert "".join(pieces) == "😀" * 3 * LIMIT
