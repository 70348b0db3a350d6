"""Pictures of strangers: what is read of them, and what each kind of trap is answered with."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
from PIL import Image, PngImagePlugin

from bot.errors import UserError
from bot.pictures import Limits, Pictures, Read


async def read(content: bytes, side: int = 64, limits: Limits = Limits()) -> Read:
    async def pieces() -> AsyncIterator[bytes]:
        yield content

    return await Pictures(limits).read(pieces(), side)


def file(picture: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG whose head claims a size that its bytes do not have."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 10_000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_every_usual_format_becomes_a_png_that_fits(format: str) -> None:
    found = await read(file(Image.new("RGB", (200, 100), "red"), format))
    png = Image.open(io.BytesIO(found.png))
    assert (png.format, png.mode, png.size, (found.width, found.height)) == ("PNG", "RGB", (64, 32), (64, 32))
    pixel = png.getpixel((10, 10))
    assert isinstance(pixel, tuple)
    assert max(abs(have - want) for have, want in zip(pixel, (255, 0, 0), strict=True)) < 8


async def test_what_is_transparent_is_white_and_what_lies_on_its_side_stands_up() -> None:
    clear = await read(file(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG"))
    assert Image.open(io.BytesIO(clear.png)).getpixel((0, 0)) == (255, 255, 255)
    turned = Image.new("RGB", (20, 10))
    exif = turned.getexif()
    exif[0x0112] = 6
    found = await read(file(turned, "JPEG", exif=exif))
    assert (found.width, found.height) == (10, 20)


async def test_nothing_but_the_pixels_and_our_own_recipe_is_kept() -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("hobnob", "how it was drawn")
    words.add_text("Comment", "where somebody lives")
    found = await read(file(Image.new("RGB", (8, 8)), "PNG", pnginfo=words))
    assert found.recipe == "how it was drawn"
    assert Image.open(io.BytesIO(found.png)).info == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"no picture at all", "no picture that I can read, or it is damaged"),
        (file(Image.effect_noise((64, 64), 50), "PNG")[:2000], "damaged"),
        (bomb(100_000, 100_000), "at most 50 million pixels"),
        (bomb(7_000, 7_000), "damaged"),
        (file(Image.new("RGB", (8, 8)), "TIFF"), "I read PNG, JPEG, WebP and GIF"),
    ],
    ids=["empty", "words", "cut off", "a bomb", "less than it claims", "another format"],
)
async def test_what_cannot_be_read_is_answered_by_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        await read(content)


async def test_a_file_that_is_too_large_is_not_read_to_its_end() -> None:
    with pytest.raises(UserError, match="too large: I read at most 0 MB"):
        await read(file(Image.effect_noise((64, 64), 50), "PNG"), limits=Limits(size=1000))


async def test_a_picture_that_takes_more_memory_than_it_may_ends_its_process_alone() -> None:
    with pytest.raises(UserError, match="too large: I read at most 50 million pixels"):
        await read(file(Image.new("1", (7000, 7000)), "PNG"), side=7000, limits=Limits(memory=400 << 20))


async def test_a_picture_is_made_to_fit_as_well_as_it_can_be() -> None:
    noise = Image.effect_noise((400, 400), 90).convert("RGB")
    whole = file(noise, "PNG")
    for most, size in ((len(whole) - 1, (400, 400)), (20_000, (200, 200)), (800, None)):
        made = await Pictures().fitted(whole, most)
        fitting = Image.open(io.BytesIO(made))
        assert fitting.format == "JPEG"
        assert len(made) <= most
        assert size is None or fitting.size == size
    with pytest.raises(UserError):
        await Pictures().fitted(whole, 10)
