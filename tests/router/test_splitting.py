"""Long answers in pieces."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bot.connector import Limits
from bot.router.splitting import beginning, split

LIMIT = 120
PROSE = ["hello ", "a\n", "\n\n", "x" * 50, "好的。", "你好", "end. ", " ", "- item\n", "`code` ", "עברית ", "\u200b"]
LETTERS = ["👩\u200d👩\u200d👧", "e\u0301"]
LINKS = ["[a link](https://example.org/a/b) ", "https://example.org/c "]
CODE = ["\n```python\n", "\n```\n", "\n~~~\n", "\n````\n"]
BROKEN = ["`", "```", "~~~", "```python "]


def bare(text: str) -> str:
    """What is said, without white space, and then without the marks of code and their language, which a cut may have parted."""
    return re.sub(r"[`~]|python", "", re.sub(r"\s+", "", text))


@given(st.lists(st.sampled_from(PROSE + LETTERS + LINKS + CODE), max_size=80).map("".join))
def test_the_pieces_say_what_the_text_says(text: str) -> None:
    assert bare("\n".join(split(text, LIMIT))) == bare(text)


@example("hello hello " + "x" * 100 + "```python\n")
@given(st.lists(st.sampled_from(PROSE + LETTERS + LINKS + CODE + BROKEN), max_size=80).map("".join))
def test_every_piece_fits_and_nothing_is_lost_however_broken_the_markdown(text: str) -> None:
    pieces = split(text, LIMIT)
    assert all(len(piece) <= LIMIT for piece in pieces)
    said = iter(bare("\n".join(pieces)))
    assert all(letter in said for letter in bare(text)), "in order; a language may be said again"


def test_a_text_that_fits_is_one_piece() -> None:
    assert split("short", LIMIT) == ["short"]


def test_of_thirty_million_letters_only_what_is_shown_is_looked_at() -> None:
    """A router has nothing else to do meanwhile than everything."""
    looked = 0

    def size(text: str) -> int:
        nonlocal looked
        looked += len(text)
        return len(text)

    pieces = split("much " * 6_000_000, 2000, size, 3)
    assert [len(piece) for piece in pieces[:3]] == [1994, 1994, 1994]
    assert len(pieces) == 4 and looked < 1_000_000


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


@given(
    st.lists(st.sampled_from(["words and ", "[a link](https://example.org/a/b) ", "`some code` ", "https://example.org/c/d "]), max_size=60)
)
def test_links_and_code_within_a_line_are_not_cut(parts: list[str]) -> None:
    pieces = split("".join(parts), LIMIT)
    for whole in ("[a link](https://example.org/a/b)", "`some code`", "https://example.org/c/d"):
        assert sum(piece.count(whole) for piece in pieces) == parts.count(f"{whole} ")


def test_an_item_of_a_list_stays_below_the_one_it_belongs_to() -> None:
    text = "- one\n" + "  - below one\n" * 20
    pieces = split(text, LIMIT)
    assert all(line.startswith("  - ") for piece in pieces[1:] for line in piece.split("\n"))


def test_letters_of_several_characters_stay_whole() -> None:
    for letter in ("👩‍👩‍👧‍👦", "e\u0301", "🏳️‍🌈"):
        pieces = split(letter * LIMIT, LIMIT)
        assert all(piece.replace(letter, "") == "" for piece in pieces)


def test_a_fence_within_a_longer_fence_does_not_end_it() -> None:
    inner = "\n".join(f"line {number}" for number in range(40))
    pieces = split(f"````markdown\n```python\n{inner}\n```\n````", LIMIT)
    assert all(piece.startswith("````markdown\n") and piece.endswith("\n````") for piece in pieces)


def test_the_beginning_of_a_text_is_as_much_as_one_message_takes() -> None:
    limits = Limits(text=LIMIT, file=0, edit_interval=0.0, utf16=True)
    assert beginning("short", limits) == "short"
    assert LIMIT - 8 < limits.size(beginning("😀" * 3 * LIMIT, limits)) <= LIMIT
