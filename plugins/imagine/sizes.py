"""Sizes as people say them become pixels. What a model allows: `bot.ImageFacts`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from bot import ImageFacts, tr

SHAPES: Mapping[str, float] = {"square": 1.0, "portrait": 3 / 4, "landscape": 4 / 3, "wide": 16 / 9}
"""Width by height."""

EXACT = re.compile(r"(\d{1,6})\s*[x×*]\s*(\d{1,6})", re.IGNORECASE)

LEAST, MOST = 16, 8192
"""Pixels of a side that somebody can mean."""


def checked(size: str) -> str:
    """The size as it was given, without spaces around it. Raises ValueError for what is none."""
    size = size.strip().lower()
    exact = EXACT.fullmatch(size)
    if size in SHAPES or (exact and all(LEAST <= int(side) <= MOST for side in exact.groups())):
        return size
    shapes = ", ".join(SHAPES)
    raise ValueError(
        tr("expected {shapes}, or width and height in pixels ({least} to {most}) as in 768x512", shapes=shapes, least=LEAST, most=MOST)
    )


def pixels(size: str, facts: ImageFacts, most: int) -> tuple[int, int]:
    """Width and height of a checked size, as the model draws them, and of at most so many pixels where the model can."""
    exact = EXACT.fullmatch(size)
    width, height = (int(exact[1]), int(exact[2])) if exact else _shaped(SHAPES[size], facts.side**2)
    shrink = min(1.0, math.sqrt(most / (width * height)))
    return facts.snapped(max(1, int(width * shrink)), max(1, int(height * shrink)))


def _shaped(ratio: float, area: int) -> tuple[int, int]:
    return round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
