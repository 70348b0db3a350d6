"""Pictures as files: a PNG with its recipe and the mark that a machine made it, and small previews. What is drawn: `engine.py`."""

from __future__ import annotations

import hashlib
import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from plugins.imagine.recipe import NAME, Recipe

PREVIEW = 256
"""Pixels of the longest side of a preview."""

MARK = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>'
)
"""IPTC's word for media that a trained model made; platforms and picture libraries look for it."""


def digest(picture: Image.Image) -> str:
    """SHA-256 of the pixels."""
    return hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()


def png(picture: Image.Image, recipe: Recipe) -> bytes:
    """The file that people get."""
    words = PngInfo()
    words.add_itxt(NAME, recipe.model_dump_json())
    words.add_itxt("Description", recipe.prompt)
    words.add_text("Software", f"Hobnob, {recipe.model}")
    words.add_text("Source", "drawn by a machine")
    words.add_itxt("XML:com.adobe.xmp", MARK)
    out = io.BytesIO()
    picture.convert("RGB").save(out, "PNG", pnginfo=words, compress_level=4)
    return out.getvalue()


def preview(picture: Image.Image) -> bytes:
    """A small JPEG."""
    small = picture.convert("RGB")
    small.thumbnail((PREVIEW, PREVIEW))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=70)
    return out.getvalue()


def opened(content: bytes, size: tuple[int, int]) -> Image.Image:
    """A reference picture, filling this size, its middle kept. `ctx.picture` has read it before, so it is a PNG of ours."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as found:
        return filling(found.convert("RGB"), size)


def filling(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scaled until it fills the size, and cut."""
    scale = max(size[0] / picture.width, size[1] / picture.height)
    large = picture.resize(
        (max(size[0], round(picture.width * scale)), max(size[1], round(picture.height * scale))), Image.Resampling.LANCZOS
    )
    left, top = (large.width - size[0]) // 2, (large.height - size[1]) // 2
    return large.crop((left, top, left + size[0], top + size[1]))
