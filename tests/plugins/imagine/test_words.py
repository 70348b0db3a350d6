"""What the starter understands of what people write."""

from __future__ import annotations

from itertools import islice

import pytest

from plugins.imagine.starter.vocabulary import ALIASES, COLOURS, FILLERS, NEAR, NOUNS, POSITIONS, SHAPES, SIZES, THINGS
from plugins.imagine.starter.words import refusal, understood
from tools.train_starter.scenes import scenes


@pytest.mark.parametrize(
    ("prompt", "start"),
    [
        ("Draw a big red circle in the top left corner on a white background, please.", "large red circle top left on white"),
        ("a small blue cat to the left of a large green house", "small blue cat left of large green house on "),
        ("a large red heart below a small yellow sun", "small yellow sun above large red heart on "),
        ("a tiny red apple on top of a big brown dog on blue", "small red apple above large brown dog on blue"),
        ("a white fish in a big blue ring", "small white fish inside large blue ring on "),
        ("large red square on the right and large blue circle on the left", "large red square right of large blue circle on "),
        ("medium black cats, large pink flowers", "medium black cat left of large pink flower on "),
        ("a large circle, green, at the bottom", "large green circle bottom on "),
        ("on a yellow background, a large purple butterfly in the middle", "large purple butterfly center on yellow"),
        ("large black car on the left of the picture on white", "large black car left on white"),
    ],
)
def test_a_prompt_takes_the_form_that_the_model_was_taught(prompt: str, start: str) -> None:
    assert understood(prompt).canonical(seed=3).startswith(start)


def test_the_form_is_read_as_itself() -> None:
    for scene in islice(scenes(seed=5), 300):
        read = understood(scene.text)
        assert read.canonical(seed=1) == scene.text
        assert not read.near


def test_what_is_left_open_is_chosen_by_the_seed_and_always_in_the_same_way() -> None:
    read = understood("a cat")
    drawn = {read.canonical(seed) for seed in range(50)}
    assert len(drawn) > 10
    assert all(" black cat " in text and not text.endswith("on black") for text in drawn)
    assert [read.canonical(seed) for seed in range(9)] == [understood("a cat").canonical(seed) for seed in range(9)]


def test_a_thing_is_never_of_the_colour_of_what_is_behind_it() -> None:
    assert not understood("a red circle on a red background").canonical(0).endswith("on red")
    inner, outer = understood("a red circle inside a red square").canonical(0).split(" inside ")
    assert inner.split()[1] != outer.split()[1]


def test_unknown_words_are_told_with_near_ones() -> None:
    read = understood("a tiger riding a bicicle beside a hause")
    assert read.known == ()
    assert read.near["tiger"] == ("cat",)
    assert "house" in read.near["hause"]
    assert "beside" not in read.near


def test_who_used_no_known_word_is_told_some() -> None:
    assert refusal("a small tiger") == ""
    assert "Try cat" in refusal("a tiger")
    assert "sun, tree, house" in refusal("一只猫")


@pytest.mark.parametrize("prompt", ["", "\x00\u202e", "一只猫", "zebra " * 2_000, "left of above inside on in the"])
def test_any_text_is_read_and_can_be_drawn(prompt: str) -> None:
    text = understood(prompt).canonical(seed=0)
    assert understood(text).canonical(seed=0) == text


def test_the_words_are_enough_and_do_not_contradict_each_other() -> None:
    assert (len(COLOURS), len(SHAPES), len(SIZES), len(POSITIONS)) == (10, 8, 3, 9)
    assert len(THINGS) >= 40
    known = {*COLOURS, *SIZES, *NOUNS, "top", "bottom", "left", "right", "center", "above", "inside", "below", "background"}
    assert set(THINGS.values()) <= set(COLOURS)
    assert set(ALIASES.values()) <= known
    assert not known & (set(NEAR) | set(ALIASES))
    assert not (set(NEAR) | set(ALIASES)) & FILLERS
    assert {word for near in NEAR.values() for word in near} <= known
