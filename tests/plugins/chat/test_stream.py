"""From tokens to text that may be shown. Tokens are bytes here: the hardest case of all tokenizers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.chat.stream import BROKEN, TextStream

LETTERS = st.text("ab¢€𝄞 \n", max_size=40)
STOPS = st.lists(st.text("ab€\n", min_size=1, max_size=4), max_size=3)


def decode(tokens: Sequence[int]) -> str:
    return bytes(tokens).decode(errors="replace")


def streamed(text: str, stops: Sequence[str] = ()) -> tuple[list[str], TextStream, bool]:
    """What was shown after each byte, the stream, and whether it stopped."""
    stream = TextStream(decode, stops)
    shown: list[str] = []
    for byte in text.encode():
        if stream.push(byte):
            return shown, stream, True
        shown.append(stream.shown)
    return shown, stream, False


@given(LETTERS, STOPS)
def test_everything_shown_is_a_prefix_of_the_final_text(text: str, stops: list[str]) -> None:
    shown, stream, _ = streamed(text, stops)
    assert all(stream.text.startswith(part) for part in shown)


@given(LETTERS, STOPS)
def test_no_broken_character_is_ever_shown(text: str, stops: list[str]) -> None:
    shown, stream, _ = streamed(text, stops)
    assert BROKEN not in "".join(shown) + stream.text


@given(LETTERS, STOPS)
def test_the_text_ends_before_the_first_stop_string(text: str, stops: list[str]) -> None:
    _, stream, stopped = streamed(text, stops)
    # Text comes a character at a time, so the stop string that is complete first decides.
    ends = [at + len(stop) for stop in stops if (at := text.find(stop)) >= 0]
    expected = text if not ends else min(text[: min(ends)].removesuffix(stop) for stop in stops if text[: min(ends)].endswith(stop))
    assert stopped == bool(ends)
    assert stream.text == expected.strip()


@pytest.mark.parametrize(("text", "shown"), [("Hi\nUs", "Hi"), ("Hi\nUsed", "Hi\nUsed"), ("HiU", "HiU")])
def test_what_may_become_a_stop_string_is_held_back(text: str, shown: str) -> None:
    assert streamed(text, ["\nUser:"])[0][-1] == shown


def test_what_was_held_back_is_shown_at_the_end() -> None:
    assert streamed("Hi\nUs", ["\nUser:"])[1].text == "Hi\nUs"


def test_an_unfinished_character_at_the_end_is_left_out() -> None:
    stream = TextStream(decode)
    for byte in "a€".encode()[:-1]:
        stream.push(byte)
    assert (stream.shown, stream.text) == ("a", "a")


def test_bytes_that_are_no_character_are_left_out() -> None:
    stream = TextStream(decode)
    for byte in b"a\xffb\xe2\x82c":
        stream.push(byte)
    assert stream.text == "abc"


def test_spaces_between_words_survive_tokenizers_that_drop_the_first() -> None:
    words = ["Hello", " big", " world"]
    stream = TextStream(lambda tokens: "".join(words[token] for token in tokens).lstrip())
    for token in range(3):
        stream.push(token)
    assert stream.text == "Hello big world"
