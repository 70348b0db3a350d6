"""Which scenes there are, and which of them are kept out of the training. Their pictures: `drawing.py`."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

from plugins.imagine.starter.vocabulary import COLOURS, POSITIONS, RELATIONS, SHAPES, SIZES, THINGS
from plugins.imagine.starter.words import Item, Scene

ALONE = 0.55
"""The part of the scenes that have one thing."""

SHAPELY = 0.25
"""The part of the things that are shapes."""

HIDDEN = ("clock",)
"""What looks like another thing when its middle is hidden, here like a circle."""

KEPT = 10
"""One in so many combinations is never trained on."""


def trained_on(seed: int) -> Iterator[Scene]:
    """Scenes to learn from, without end."""
    return (scene for scene in scenes(seed) if not kept_out(scene))


def unseen(seed: int) -> Iterator[Scene]:
    """Scenes whose combination was never trained on, without end."""
    return (scene for scene in scenes(seed) if kept_out(scene))


def kept_out(scene: Scene) -> bool:
    """One thing: by its colour, noun and place; two: by the nouns and their relation."""
    first = scene.items[0]
    words = (first.colour, first.noun, scene.place) if len(scene.items) == 1 else (first.noun, scene.place, scene.items[1].noun)
    return zlib.crc32(" ".join(words).encode()) % KEPT == 0


def scenes(seed: int) -> Iterator[Scene]:
    """Every kind of scene, the same ones for a seed."""
    chance = random.Random(seed)
    while True:
        scene = _alone(chance) if chance.random() < ALONE else _two(chance)
        if scene.background not in {item.colour for item in scene.items}:
            yield scene


def _item(chance: random.Random, size: str = "") -> Item:
    noun = chance.choice(SHAPES if chance.random() < SHAPELY else tuple(THINGS))
    return Item(noun, chance.choice(COLOURS), size or chance.choice(SIZES))


def _alone(chance: random.Random) -> Scene:
    return Scene((_item(chance),), chance.choice(POSITIONS), chance.choice(COLOURS))


def _two(chance: random.Random) -> Scene:
    relation = chance.choice(RELATIONS)
    if relation != "inside":
        return Scene((_item(chance), _item(chance)), relation, chance.choice(COLOURS))
    inner, outer = _item(chance, "small"), _item(chance, "large")
    while outer.colour == inner.colour or outer.noun in HIDDEN:
        outer = _item(chance, "large")
    return Scene((inner, outer), relation, chance.choice(COLOURS))
