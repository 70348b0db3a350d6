"""The pictures that the starter learns from, and the check that reads pictures."""

from __future__ import annotations

from itertools import islice

import numpy as np

from tools.train_starter.drawing import render
from tools.train_starter.reading import read
from tools.train_starter.scenes import kept_out, scenes, trained_on, unseen
from tools.train_starter.scores import compared

SEED = 23


def test_the_check_reads_what_was_drawn_and_notices_what_was_not() -> None:
    shades = np.random.default_rng(SEED)
    asked = list(islice(scenes(SEED), 120))
    pictures = [render(scene, shades) for scene in asked]
    seen = [read(picture, scene.place if len(scene.items) == 2 else "") for scene, picture in zip(asked, pictures, strict=True)]
    assert seen == asked
    shuffled = compared(asked, pictures[1:] + pictures[:1])
    assert max(shuffled.right[name] for name in ("colour and place", "things", "relations")) < 0.3


def test_an_empty_picture_shows_nothing() -> None:
    empty = np.full((128, 128, 3), 250, np.uint8)
    assert read(empty).items[0].noun == ""
    assert {item.noun for place in ("left of", "inside") for item in read(empty, place).items} == {""}


def test_what_is_kept_out_is_never_learned_from() -> None:
    assert not any(kept_out(scene) for scene in islice(trained_on(SEED), 500))
    assert all(kept_out(scene) for scene in islice(unseen(SEED), 50))
