"""Markdown as Telegram shows it: what is read off the entities by the platform's rules is what the Markdown says."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.connectors.telegram.rendering import length, rendered
from bot.connectors.telegram.sending import MOST_TEXT, said
from bot.connectors.telegram.styled import Styled, units
from tests.wire.telegram_rules import bad, check_text

Marked = list[tuple[str, frozenset[str]]]
"""Letters, each with its styles."""

DOCUMENTS = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1_000


def read(styled: Styled) -> Marked:
    """What a client shows: every letter with the styles whose entities cover it, counted in UTF-16 units."""
    found: Marked = []
    at = 0
    for character in styled.text:
        over = {_named(one.type, one.url, one.language) for one in styled.entities if one.offset <= at < one.offset + one.length}
        found.append((character, frozenset(over)))
        at += 2 if character > "\uffff" else 1
    return found


def _named(kind: str, url: str | None, language: str | None) -> str:
    return ":".join(filter(None, (kind.replace("expandable_", ""), url, language)))


def check(styled: Styled) -> None:
    """Raises Refusal where the platform would."""
    check_text(styled.text, [one.to_dict() for one in styled.entities])


# Documents whose look is known ----------------------------------------------------------------------------------------------

MARKS = {"bold": "**", "italic": "_", "strikethrough": "~~", "spoiler": "||"}
URL = "https://example.org/a?b=c"
APART = "\n\n<!---->\n\n"
"""Keeps lists and quotes that follow one another from becoming one; it is shown, because HTML is only words here."""


@dataclass(frozen=True)
class Word:
    """A word, or code."""

    text: str
    code: bool = False


@dataclass(frozen=True)
class Mark:
    """What stands between two marks, or is a link."""

    kind: str
    inner: tuple[Word | Mark, ...]


def written(pieces: Sequence[Word | Mark], within: frozenset[str] = frozenset()) -> str:
    """The Markdown; what would be marked the same way twice is marked once."""
    return " ".join(_written(piece, within) for piece in pieces)


def _written(piece: Word | Mark, within: frozenset[str]) -> str:
    if isinstance(piece, Word):
        return f"`{piece.text}`" if piece.code else piece.text
    if piece.kind in within:
        return written(piece.inner, within)
    inner = written(piece.inner, within | {piece.kind})
    return f"[{inner}]({URL})" if piece.kind == "link" else f"{MARKS[piece.kind]}{inner}{MARKS[piece.kind]}"


def seen(pieces: Sequence[Word | Mark], *styles: str) -> Marked:
    """The letters; code takes no style but quotes, and is none where it would cut a hole into what hides or links it."""
    found: Marked = []
    for number, piece in enumerate(pieces):
        found += plain(" ", *styles) if number else []
        if isinstance(piece, Mark):
            found += seen(piece.inner, *styles, f"text_link:{URL}" if piece.kind == "link" else piece.kind)
        elif piece.code and not {"spoiler", f"text_link:{URL}"} & set(styles):
            found += plain(piece.text, "code", *({"blockquote"} & set(styles)))
        else:
            found += plain(piece.text, *styles)
    return found


def plain(text: str, *styles: str) -> Marked:
    return [(character, frozenset(styles)) for character in text]


WORDS = ["word", "Ünïcode", "слово", "漢字", "שלום", "😀", "👨‍👩‍👧", "🇩🇪", "e\u0301t\u00e9", "x2", "नमस्ते", "𝔘𝔫𝔦"]
WORD = st.one_of(st.sampled_from(WORDS).map(Word), st.sampled_from(WORDS).map(lambda word: Word(f"{word} *x*", code=True)))
LINE = st.recursive(
    WORD,
    lambda inner: st.builds(Mark, st.sampled_from(["link", *sorted(MARKS)]), st.lists(inner, min_size=1, max_size=3).map(tuple)),
    max_leaves=5,
)
SENTENCE = st.lists(LINE, min_size=1, max_size=3).map(tuple)

Block = tuple[str, Marked]


def listed(sentences: Sequence[tuple[Word | Mark, ...]]) -> Block:
    """A numbered item, with bullets below it."""
    first, *rest = sentences
    markdown = "\n".join([f"1. {written(first)}", *(f"   - {written(one)}" for one in rest)])
    return markdown, plain("1. ") + seen(first) + [letter for one in rest for letter in plain("\n   • ") + seen(one)]


def fenced(lines: Sequence[str]) -> Block:
    text = "\n".join(["fn main()", *lines])
    return f"```rust\n{text}\n```", plain(text, "pre:rust")


LINES = st.lists(st.sampled_from(["let x = 1;", "**not bold**", "  indented 😀", "> no quote"]), max_size=2)
BLOCK = st.one_of(
    SENTENCE.map(lambda one: (written(one), seen(one))),
    SENTENCE.map(lambda one: (f"## {written(one)}", seen(one, "bold"))),
    SENTENCE.map(lambda one: (f"> {written(one)}", seen(one, "blockquote"))),
    st.lists(SENTENCE, min_size=1, max_size=3).map(listed),
    LINES.map(fenced),
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(BLOCK, min_size=1, max_size=3))
def test_letters_and_styles_are_those_of_the_markdown(blocks: list[Block]) -> None:
    styled = rendered(APART.join(markdown for markdown, _ in blocks))
    check(styled)
    assert read(styled) == [letter for number, (_, letters) in enumerate(blocks) for letter in (plain(APART) if number else []) + letters]


# Any documents --------------------------------------------------------------------------------------------------------------

SCRAPS = [
    "**",
    "*",
    "_",
    "~~",
    "||",
    "`",
    "```",
    "\n",
    "\n\n",
    "> ",
    "- ",
    "1. ",
    "# ",
    "|a|b|\n|-|-|\n",
    "---\n",
    "    ",
    "2) ",
    "+ ",
    "\\",
]
SCRAPS += [
    "[x](https://a.bc)",
    "[y](u)",
    "![z](http://q.rs)",
    "<b>",
    "<https://e.fg>",
    "[m](mailto:a@b.cd)",
    "[t](tg://user?id=1)",
    "[h](http://h)",
]
SCRAPS += [
    "@name",
    "😀",
    "é",
    "漢字",
    "👨‍👩‍👧",
    "\u202e",
    "\x00",
    "  ",
    "\t",
    "a",
    "word",
    "&amp;",
    "http://x.y/@me",
    "שלום",
    "🇩🇪",
    "\ud83d",
    "\u00a0",
]


def test_no_document_is_refused() -> None:
    chance = random.Random(7)
    for _ in range(DOCUMENTS):
        styled = rendered.__wrapped__("".join(chance.choices(SCRAPS, k=chance.randint(1, 40))))
        if styled.text:
            check(styled)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1), st.integers(1, 30))
@example("**" + "😀" * 20 + "**", 8)
def test_what_is_clipped_fits_and_is_still_accepted(markdown: str, most: int) -> None:
    whole = rendered(markdown)
    clipped = whole.clipped(most)
    assert units(clipped.text) <= most
    if clipped.text:
        check(clipped)
    assert clipped == whole or whole.text.startswith(clipped.text.removesuffix("…"))


# One by one -----------------------------------------------------------------------------------------------------------------


def spans(markdown: str) -> list[tuple[str, str]]:
    """The styles of a document with the words that they cover."""
    styled = rendered(markdown)
    wide = styled.text.encode("utf-16-le")
    return [(one.type, wide[2 * one.offset : 2 * (one.offset + one.length)].decode("utf-16-le")) for one in styled.entities]


def test_a_table_is_aligned_in_a_block_of_code() -> None:
    [(kind, text)] = spans("| name | n |\n|:--|--:|\n| 漢字 | 1 |\n| e | **22** |")
    assert kind == "pre"
    assert text.splitlines() == ["name │  n", "─────┼───", "漢字 │  1", "e    │ 22"]


def test_a_table_of_very_many_cells_is_code_as_it_was_written() -> None:
    source = "|a" * 181 + "\n" + "|-" * 181 + "\n" + "\n".join("a" * 360)

    assert spans(f"{source}\n\nb") == [("pre", source)]


def test_a_long_quote_can_be_folded_and_a_short_one_stands_open() -> None:
    assert [kind for kind, _ in spans("> " + "word " * 100 + "\n\nand\n\n> short")] == ["expandable_blockquote", "blockquote"]


def test_code_keeps_its_language_and_its_letters() -> None:
    styled = rendered("```c++ title=x\nint *p = &a; // @everyone **no**\n```")
    [one] = styled.entities
    assert (one.type, one.language, styled.text) == ("pre", "c++", "int *p = &a; // @everyone **no**")


MENTIONED = re.compile(r"(?<![a-zA-Z0-9_])@[a-zA-Z0-9_]")
"""What Telegram may take for the beginning of a name: it looks at the words alone, whatever their styles."""

SOMEBODY = (
    *("@somebody", "hello @somebody", "(@somebody)", "@**somebody**", "**@** @somebody", "@so**mebo**dy", "@s", "é@somebody"),
    *("http://!@somebody", "http://a_b.org/@somebody", "http://example.org/<@somebody", "http://example.org/)@somebody"),
    *("s**http://example.org/@somebody**", "xhttp://example.org/@somebody", "http://example.org:0/@somebody", "`a` " * 100 + "`@somebody`"),
    *("http://example.org/\u3000@somebody", "http://example.org/\u2019@somebody", "[x](https://x.org)@somebody"),
)


@pytest.mark.parametrize("markdown", SOMEBODY)
def test_nobody_is_mentioned(markdown: str) -> None:
    text = rendered(markdown).text
    assert not MENTIONED.search(text)
    assert text.replace("\u2060", "").rstrip(")")[-8:] == ("@s" if markdown == "@s" else "somebody")


@pytest.mark.parametrize("markdown", [one for one in SOMEBODY if not one.startswith("s**")])  # a real address, as it is written
def test_nobody_is_mentioned_where_there_is_no_room_for_styles(markdown: str) -> None:
    shown = said(markdown + " word" * 200, 900)
    assert not MENTIONED.search(shown.text)
    assert shown.text.endswith("…")


def test_many_mentions_take_no_room_from_what_is_said() -> None:
    text = "@a " * (MOST_TEXT // 3)
    assert said(text, MOST_TEXT).text == text.strip().replace("@", "\uff20")


def test_many_mentions_cost_no_styles() -> None:
    shown = said("**all of** " + "@a " * ((MOST_TEXT - 12) // 3), MOST_TEXT)
    assert [(entity.type, entity.offset, entity.length) for entity in shown.entities] == [("bold", 0, 6)]
    assert "@" not in shown.text and "**" not in shown.text


@pytest.mark.parametrize("mark", ["*", "**", "~~"])
def test_what_is_nested_too_deeply_is_shown_as_it_was_written(mark: str) -> None:
    text = f"{mark}a " * 400 + "@b" + f"b{mark}" * 400
    assert rendered(text) == Styled(text.replace("@", "\uff20"))


def test_addresses_stay_what_they_are() -> None:
    text = "https://example.org/@somebody and a@example.org, http://a.example.org:8080?@b#@c"
    assert rendered(text).text == text


@pytest.mark.parametrize("url", ["./here", "tg://user?id=1", "javascript:x", "http://localhost", "http://a..b", "mailto:a@b.cd"])
def test_a_link_that_telegram_would_refuse_the_message_for_is_told_in_words(url: str) -> None:
    styled = rendered(f"[there]({url})")
    assert styled.entities == ()
    assert styled.text in (f"there ({url})".replace("a@b", "a@b"), f"[there]({url})")


def test_length_is_counted_as_telegram_does() -> None:
    assert length("**😀** `a`") == 4
    with pytest.raises(type(bad("")), match="too long"):
        check(rendered("😀" * 2049))


def test_what_encloses_the_text_does_not_shift_its_styles() -> None:
    assert spans("\n\n  **a** \n\n") == [("bold", "a")]
    assert spans("\u00a0**a**") == [("bold", "a")]
