"""PDFs of strangers: what is read of them, and what each kind of trap is answered with."""

from __future__ import annotations

import io
import zlib
from collections.abc import AsyncIterator, Sequence

import pytest
from pypdf import PdfReader, PdfWriter

from bot.errors import UserError
from bot.papers import Facts, Limits, Papers


async def read(content: bytes, letters: int = 1000, limits: Limits = Limits()) -> Facts:
    async def pieces() -> AsyncIterator[bytes]:
        yield content

    return await Papers(limits).read(pieces(), letters)


def pdf(*pages: str, packed: Sequence[bytes] = ()) -> bytes:
    """A document with a line of text on each page, or with these streams as its pages."""
    streams = [zlib.compress(f"BT /F1 12 Tf 72 720 Td ({page}) Tj ET".encode()) for page in pages] + list(packed)
    count = len(streams)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, stream in enumerate(streams):
        font = b"/Resources << /Font << /F1 3 0 R >> >> /MediaBox [0 0 612 792]"
        objects += [
            b"<< /Type /Page /Parent 2 0 R " + font + f" /Contents {5 + 2 * number} 0 R >>".encode(),
            f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode() + stream + b"\nendstream",
        ]
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n".encode())
    out.write(f"startxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def locked() -> bytes:
    writer, out = PdfWriter(PdfReader(io.BytesIO(pdf("secret")))), io.BytesIO()
    writer.encrypt("key", algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


async def test_the_words_of_all_pages_are_read_in_order() -> None:
    found = await read(pdf("The first page.", "The second."))
    assert (found.text, found.read, found.pages) == ("The first page.\n\nThe second.", 2, 2)


async def test_no_more_is_read_than_was_asked_for() -> None:
    found = await read(pdf(*[f"page {number}" for number in range(50)]), letters=15)
    assert (found.text, found.read, found.pages) == ("page 0\n\npage 1\n\npag", 3, 50)
    assert (await read(pdf("a", "b", "c"), limits=Limits(pages=2))).read == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This PDF is an empty file."),
        (b"Dear all,", "This is no PDF that I can read, or it is damaged."),
        (pdf("Half of it is missing.")[:40], "This is no PDF that I can read, or it is damaged."),
        (pdf(""), "This PDF has no words in it"),
        (locked(), "This PDF is locked with a password."),
    ],
)
async def test_what_cannot_be_read_is_said(content: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        await read(content)


async def test_a_page_that_is_broken_does_not_hide_the_others() -> None:
    assert (await read(pdf("Whole.", packed=[b"no stream at all"]))).text == "Whole."


async def test_a_file_that_is_larger_than_it_may_be_is_not_read() -> None:
    with pytest.raises(UserError, match="at most 0 MB"):
        await read(pdf("x" * 100), limits=Limits(size=200))


async def test_a_bomb_ends_its_process_and_nothing_else() -> None:
    bomb = zlib.compress(b"0 0 m " * 25_000_000, 1)
    with pytest.raises(UserError, match=r"takes more to read|no words in it"):
        await read(pdf(packed=[bomb]), limits=Limits(memory=128 << 20, cpu=2))
