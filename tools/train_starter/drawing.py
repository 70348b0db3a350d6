"""Scenes become pictures: shapes by their corners, things from the glyphs in `things.ttf`. What is drawn when: `scenes.py`.

The glyphs are a subset of Material Design Icons 7.4.47 by Pictogrammers, Apache-2.0: see `README.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from plugins.imagine.starter.words import SIDE, Scene

Pixels = NDArray[np.uint8]
"""Height × width × RGB."""

Mask = NDArray[np.float32]
"""Height × width, how much of each pixel is covered."""

PALETTE: Mapping[str, tuple[int, int, int]] = {
    "red": (220, 38, 38), "orange": (249, 140, 20), "yellow": (250, 215, 40), "green": (34, 160, 70), "blue": (37, 99, 235),
    "purple": (126, 50, 180), "pink": (245, 130, 190), "brown": (120, 72, 40), "black": (20, 20, 20), "white": (250, 250, 250),
}  # fmt: skip

PIXELS: Mapping[str, int] = {"small": 28, "medium": 44, "large": 64}
"""The longer side of a thing."""

COLUMNS = {"left": 32, "right": 96}
ROWS = {"top": 32, "bottom": 96}

SHADE = 6
"""How far a colour may be from the palette's, in each channel."""

GLYPHS: Mapping[str, int] = {
    "sun": 0xF05A8, "moon": 0xF0F65, "cloud": 0xF015F, "tree": 0xF0531, "flower": 0xF024A, "leaf": 0xF032A, "mushroom": 0xF07DF,
    "fire": 0xF0238, "snowman": 0xF04B7, "cat": 0xF011B, "dog": 0xF0A43, "rabbit": 0xF1A61, "horse": 0xF15C1, "elephant": 0xF07C6,
    "penguin": 0xF0EC0, "bird": 0xF15C6, "duck": 0xF01E5, "fish": 0xF023A, "butterfly": 0xF1589, "house": 0xF02DC, "bed": 0xF02E3,
    "lamp": 0xF06B5, "clock": 0xF0954, "book": 0xF00BA, "key": 0xF0306, "cup": 0xF0176, "bell": 0xF009A, "apple": 0xF025B,
    "cake": 0xF00EB, "heart": 0xF02D1, "crown": 0xF01A5, "gift": 0xF0E44, "balloon": 0xF0A26, "umbrella": 0xF054A, "car": 0xF07AB,
    "bus": 0xF07A0, "boat": 0xF0EC8, "airplane": 0xF001D, "rocket": 0xF0463, "robot": 0xF06A9,
}  # fmt: skip
"""The code points of the things in the font."""

FONT = Path(__file__).with_name("things.ttf")
FINE = 8
"""Masks are drawn so many times larger, then averaged."""

_ROUND = [(math.cos(turn * math.pi / 60), math.sin(turn * math.pi / 60)) for turn in range(120)]
_STAR = [(r * math.sin(k * math.pi / 5), -r * math.cos(k * math.pi / 5)) for k in range(10) for r in ((1.0, 0.42)[k % 2],)]
_THIRD = 1 / 3

OUTLINES: Mapping[str, Sequence[tuple[float, float]]] = {
    "circle": _ROUND,
    "ring": _ROUND,
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "rectangle": [(-1, -0.5), (1, -0.5), (1, 0.5), (-1, 0.5)],
    "triangle": [(0, -1), (1, 1), (-1, 1)],
    "diamond": [(0, -1), (1, 0), (0, 1), (-1, 0)],
    "star": _STAR,
    "cross": [
        (-_THIRD, -1), (_THIRD, -1), (_THIRD, -_THIRD), (1, -_THIRD), (1, _THIRD), (_THIRD, _THIRD),
        (_THIRD, 1), (-_THIRD, 1), (-_THIRD, _THIRD), (-1, _THIRD), (-1, -_THIRD), (-_THIRD, -_THIRD),
    ],
}  # fmt: skip
"""Corners of the shapes; x to the right, y down, from -1 to 1."""

HOLE = 0.6
"""Radius of a ring's inside, as a part of the outer one."""


def render(scene: Scene, shades: np.random.Generator | None = None) -> Pixels:
    """The picture of a scene; with `shades` its colours differ a little from the palette."""
    canvas = np.empty((SIDE, SIDE, 3), np.float32)
    canvas[:] = _shade(scene.background, shades)
    for item, (x, y) in reversed(list(zip(scene.items, centres(scene), strict=True))):
        cover = mask(item.noun, PIXELS[item.size])
        half = len(cover) // 2
        spot = canvas[y - half : y + half, x - half : x + half]
        spot += cover[..., None] * (_shade(item.colour, shades) - spot)
    return np.rint(canvas).astype(np.uint8)


def centres(scene: Scene) -> list[tuple[int, int]]:
    """Where the things of a scene have their middle, x and y in pixels."""
    middle = SIDE // 2
    pairs = {"left of": [(32, middle), (96, middle)], "above": [(middle, 32), (middle, 96)], "inside": [(middle, middle)] * 2}
    if scene.place == "right of":
        return pairs["left of"][::-1]
    words = scene.place.split()
    one = (next((COLUMNS[word] for word in words if word in COLUMNS), middle), next((ROWS[word] for word in words if word in ROWS), middle))
    return pairs.get(scene.place, [one])


def _shade(colour: str, shades: np.random.Generator | None) -> NDArray[np.float32]:
    exact = np.asarray(PALETTE[colour], np.float32)
    return exact if shades is None else np.clip(exact + shades.uniform(-SHADE, SHADE, 3), 0, 255).astype(np.float32)


@cache
def mask(noun: str, pixels: int) -> Mask:
    """A noun in a square of an even number of pixels, filling it in its longer direction."""
    large = _outlined(noun, pixels * FINE) if noun in OUTLINES else _glyph(noun, pixels * FINE)
    return np.asarray(large.resize((pixels, pixels), Image.Resampling.BOX), np.float32) / np.float32(255)


def _outlined(noun: str, side: int) -> Image.Image:
    drawn = Image.new("L", (side * 2, side * 2))
    draw = ImageDraw.Draw(drawn)
    draw.polygon([(side + x * side * 0.9, side + y * side * 0.9) for x, y in OUTLINES[noun]], fill=255)
    if noun == "ring":
        draw.polygon([(side + x * side * 0.9 * HOLE, side + y * side * 0.9 * HOLE) for x, y in _ROUND], fill=0)
    return _filling(drawn, side)


def _glyph(noun: str, side: int) -> Image.Image:
    drawn = Image.new("L", (side * 2, side * 2))
    font = ImageFont.truetype(FONT, side)
    ImageDraw.Draw(drawn).text((side // 2, side // 2), chr(GLYPHS[noun]), font=font, fill=255)
    return _filling(drawn, side)


def _filling(drawn: Image.Image, side: int) -> Image.Image:
    """What is drawn, scaled so that its longer direction fills the square."""
    box = drawn.getbbox()
    assert box is not None, "an empty drawing"
    cut = drawn.crop(box)
    scale = side / max(cut.size)
    width, height = (max(1, round(length * scale)) for length in cut.size)
    square = Image.new("L", (side, side))
    square.paste(cut.resize((width, height), Image.Resampling.LANCZOS), ((side - width) // 2, (side - height) // 2))
    return square
