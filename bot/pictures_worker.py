"""Reads one picture in a process that can do nothing but read its input and write a PNG. What starts and watches it: `pictures.py`.

It imports the standard library only, and Pillow once the limits stand.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.confining import ordered, shut

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""Pillow's decoders that may run: what phones, browsers and chat platforms write."""

RECIPE = "hobnob"
"""The text of a PNG in which we say how it was drawn."""

QUALITIES = (92, 85, 75)
"""Of a JPEG, before its picture is made smaller: what an eye hardly sees, what it sees when it looks for it."""

LONGEST_RECIPE = 16_384
"""Letters of it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do and within which limits. `library` is the folder that Pillow lies in.

    `side` is the longest side of what is written, in pixels; `size` and `memory` are in bytes, `cpu` in seconds, `pixels` of the input.
    With `most` a JPEG of at most so many bytes is written instead of a PNG.
    """

    library: str
    side: int
    size: int
    pixels: int
    cpu: int
    memory: int
    most: int = 0


class Fault(Exception):  # noqa: N818  what is wrong with the file, not with the program
    """The file is at fault; the word is one of those that `pictures.py` has a sentence for."""


def opened(content: bytes, order: Order) -> Image.Image:
    """The picture, of which only the head was read. Raises Fault."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = order.pixels
    try:
        found = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise Fault("vast") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Fault("unknown") from error
    if found.width * found.height > order.pixels:
        raise Fault("vast")
    return found


def drawn(found: Image.Image, side: int) -> Image.Image:
    """Upright, in three colours, on white where it was transparent, and no larger than asked. Raises Fault."""
    from PIL import Image, ImageOps

    try:
        found.draft("RGB", (side, side))  # a JPEG is decoded at about this size
        upright = ImageOps.exif_transpose(found).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise Fault("vast") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Fault("damaged") from error
    upright.thumbnail((side, side))
    paper = Image.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright.getchannel("A"))
    return paper


def recipe(found: Any) -> str:
    """How it was drawn, as a PNG of ours says; its text stands behind the pixels in some."""
    said = str(getattr(found, "text", {}).get(RECIPE, ""))
    return said if len(said) <= LONGEST_RECIPE else ""


def answer(order: Order) -> tuple[dict[str, Any], bytes]:
    """What there is to say, and the file. Raises Fault, or MemoryError where the file wants too much."""
    from PIL import Image, ImageOps, PngImagePlugin  # noqa: F401  all that is loaded later, before the last door closes

    Image.preinit()
    Image.init()
    shut()
    content = sys.stdin.buffer.read(order.size + 1)
    if not content:
        raise Fault("empty")
    if len(content) > order.size:
        raise Fault("large")
    found = opened(content, order)
    paper = drawn(found, order.side)
    written = fitted(paper, order.most) if order.most else encoded(paper, "PNG", compress_level=1)
    return {"width": paper.width, "height": paper.height, "recipe": recipe(found)}, written


def encoded(paper: Image.Image, kind: str, **how: int) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    paper.save(out, kind, **how)
    return out.getvalue()


def fitted(paper: Image.Image, most: int) -> bytes:
    """A JPEG of at most so many bytes: as good as it can be, then half as large, and so on. Raises Fault."""
    while min(paper.size) >= 1:
        for quality in QUALITIES:
            if len(made := encoded(paper, "JPEG", quality=quality)) <= most:
                return made
        if max(paper.size) == 1:
            break
        paper = paper.resize((max(1, paper.width // 2), max(1, paper.height // 2)))
    raise Fault("large")


def main() -> None:
    """Reads the order from the command line and the file from standard input; writes a line of JSON and the PNG."""
    order = ordered(Order)
    try:
        said, png = answer(order)
    except Fault as fault:
        said, png = {"fault": str(fault)}, b""
    except MemoryError:
        said, png = {"fault": "vast"}, b""
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + png)
    sys.stdout.buffer.flush()
