"""What a picture shows, read from its pixels: the check of what a model drew. It knows the palette and the sizes, and no prompt.

Shapes are told by formulas of their own, not by the corners that `drawing.py` uses; things by the nearest of their templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from plugins.imagine.starter.vocabulary import SHAPES, THINGS
from plugins.imagine.starter.words import SIDE, Item, Scene
from tools.train_starter.drawing import PALETTE, PIXELS, Pixels, mask
from tools.train_starter.scenes import HIDDEN

Values = NDArray[np.float32]

FRAME = 2
"""Pixels of the border that nothing touches: the background."""

GRID = 32
"""Things are compared in a square of so many pixels."""

HELD = 0.4
"""How much of a pixel a thing must cover to count: a small thing's points are thinner than a pixel, and soft once they were coded."""

NAMES = tuple(PALETTE)
_COLOURS = np.asarray(list(PALETTE.values()), np.float32)


def read(picture: Pixels, place: str = "") -> Scene:
    """The scene in a picture. `place` may be a relation: then two things are looked for, where they should be in that relation.

    A picture with nothing in it has an Item without a noun.
    """
    values = picture.astype(np.float32)
    frame = np.concatenate([values[:FRAME].reshape(-1, 3), values[-FRAME:].reshape(-1, 3), values[:, :FRAME].reshape(-1, 3)])
    ground: Values = np.median(frame, axis=0)
    background = colour_of(ground)
    half = SIDE // 2
    if place == "inside":
        return Scene(_nested(values, ground), place, background)
    if place in ("left of", "right of", "above"):
        parts = [values[:half], values[half:]] if place == "above" else [values[:, :half], values[:, half:]]
        items = tuple(_item(part, ground)[0] for part in parts)
        return Scene(items[::-1] if place == "right of" else items, place, background)
    item, where = _item(values, ground)
    return Scene((item,), where, background)


def colour_of(value: Values) -> str:
    """The nearest name of the palette."""
    return NAMES[int(np.argmin(((_COLOURS - value) ** 2).sum(1)))]


def _item(values: Values, ground: Values) -> tuple[Item, str]:
    """What lies on the ground, and where its middle is."""
    far = np.sqrt(((values - ground) ** 2).sum(-1))
    if far.max() < 40:
        return Item(), ""
    colour = np.median(values[far > 0.6 * np.quantile(far, 0.995)], axis=0).astype(np.float32)
    cover = _cover(values, ground, colour)
    box = _box(cover)
    if box is None:
        return Item(), ""
    top, bottom, left, right = box
    place = _place((left + right) / 2, (top + bottom) / 2)
    size = min(PIXELS, key=lambda name: abs(PIXELS[name] - max(bottom - top, right - left)))
    return Item(noun_of(cover[top:bottom, left:right]), colour_of(colour), size), place


def _nested(values: Values, ground: Values) -> tuple[Item, ...]:
    """The thing in the middle, and the one around it: what is most of the picture outside of the middle."""
    reach = PIXELS["small"] // 2
    middle = slice(SIDE // 2 - reach, SIDE // 2 + reach)
    names = np.argmin(((values[..., None, :] - _COLOURS) ** 2).sum(-1), -1)
    under = int(np.argmin(((_COLOURS - ground) ** 2).sum(1)))
    around = names.copy()
    around[middle, middle] = under
    outer = _commonest(around, (under,))
    inner = _commonest(names[middle, middle], (under, outer))
    if inner < 0 or outer < 0:
        return (Item(), Item())
    covered = np.minimum(1, np.maximum(_cover(values, ground, _COLOURS[outer]), (names == inner).astype(np.float32)))
    box = _box(covered)
    cut = covered[box[0] : box[1], box[2] : box[3]] if box else covered
    seen = (names[middle, middle] == inner).astype(np.float32)
    return (Item(noun_of(seen), NAMES[inner], "small"), Item(noun_of(cut, middle=False), NAMES[outer], "large"))


def _commonest(names: NDArray[np.intp], without: tuple[int, ...]) -> int:
    counts = np.bincount(names.ravel(), minlength=len(NAMES))
    counts[[name for name in without if name >= 0]] = 0
    return int(counts.argmax()) if counts.max() > 20 else -1


def _cover(values: Values, ground: Values, colour: Values) -> Values:
    """How much of each pixel is the thing: its way from the colour of the ground to that of the thing."""
    way = colour - ground
    return np.clip((values - ground) @ way / max(float(way @ way), 1.0), 0, 1).astype(np.float32)


def _box(cover: Values) -> tuple[int, int, int, int] | None:
    rows, columns = (np.flatnonzero((cover > HELD).sum(axis) > 0) for axis in (1, 0))
    return None if len(rows) < 3 or len(columns) < 3 else (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)


def _place(x: float, y: float) -> str:
    third = SIDE / 8
    row = "top" if y < SIDE / 2 - third else "bottom" if y > SIDE / 2 + third else ""
    column = "left" if x < SIDE / 2 - third else "right" if x > SIDE / 2 + third else ""
    return f"{row} {column}".strip() or "center"


def noun_of(cover: Values, middle: bool = True) -> str:
    """The noun whose template lies nearest; without the `middle` where something covers it."""
    seen = _squared(cover)
    weight = np.ones_like(seen)
    if not middle:
        weight[GRID // 4 : -GRID // 4, GRID // 4 : -GRID // 4] = 0
    likely = {noun: template for noun, template in templates().items() if middle or noun not in HIDDEN}
    errors = {noun: float((weight * (seen - template) ** 2).sum()) for noun, template in likely.items()}
    return min(errors, key=lambda noun: errors[noun])


@cache
def templates() -> Mapping[str, Values]:
    """Each noun in a square of GRID pixels."""
    x, y = np.meshgrid(*[np.linspace(-1, 1, 8 * GRID, dtype=np.float32)] * 2)
    radius, turn = np.hypot(x, y), np.arctan2(x, -y)
    formulas = {
        "circle": radius <= 1, "square": radius >= 0, "triangle": np.abs(x) <= (y + 1) / 2, "diamond": np.abs(x) + np.abs(y) <= 1,
        "cross": np.minimum(np.abs(x), np.abs(y)) <= 1 / 3, "ring": (radius <= 1) & (radius >= 0.6), "rectangle": np.abs(y) <= 0.5,
        "star": radius <= _star(turn),
    }  # fmt: skip
    shapes = {noun: _squared(_cut(formulas[noun].astype(np.float32))) for noun in SHAPES}
    return shapes | {noun: _squared(_cut(mask(noun, PIXELS["large"]))) for noun in THINGS}


def _star(turn: Values) -> Values:
    """Radius of a five-pointed star at an angle from its top point: the line from a point to the corner between two."""
    inner, half = 0.42, np.pi / 5
    angle = np.abs((turn + half) % (2 * half) - half)
    away = np.sin(angle) * (1 - inner * np.cos(half)) + inner * np.sin(half) * np.cos(angle)
    radius: Values = (inner * np.sin(half) / away).astype(np.float32)
    return radius


def _cut(cover: Values) -> Values:
    box = _box(cover)
    assert box is not None
    return cover[box[0] : box[1], box[2] : box[3]]


def _squared(cover: Values) -> Values:
    """Scaled so that its longer side fills the square, its middle in the middle."""
    height, width = cover.shape
    side = max(height, width)
    at = (np.arange(GRID * 4) + 0.5) / (GRID * 4) * side
    rows, columns = (np.floor(at - (side - length) / 2).astype(int) for length in (height, width))
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    fine = np.where(inside, cover[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)], 0)
    squared: Values = fine.reshape(GRID, 4, GRID, 4).mean((1, 3)).astype(np.float32)
    return squared
