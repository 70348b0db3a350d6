"""Files of rooms: what they are is proved by their bytes, and what goes wrong is a sentence."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import StoreError, UserError
from bot.store.uploads import KEPT, Uploads, safe, sniff


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "files")

    kept = await uploads.keep(pieces(b"one ", b"two"), "a.txt")

    assert (kept.name, kept.mime, kept.size) == ("a.txt", "text/plain", 7)
    assert b"".join([piece async for piece in uploads.read(kept.id)]) == b"one two"
    assert await uploads.find(kept.id, "b/c.txt") == type(kept)(kept.id, "text/plain", 7, "b_c.txt")


async def test_the_same_bytes_kept_twice_are_one_file(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)

    assert await uploads.put(b"x", "a") == await uploads.put(b"x", "a")
    assert len(names(tmp_path)) == 1


async def test_a_file_that_grows_too_large_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"big.bin is larger than 1 MB"):
        await Uploads(tmp_path, largest=1 << 20).keep(pieces(bytes(1 << 20), b"x"), "big.bin")

    assert names(tmp_path) == []


async def test_an_upload_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    async def torn() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(StoreError):
        await Uploads(tmp_path).keep(torn(), "half.txt")

    assert names(tmp_path) == []


async def test_a_full_disk_is_a_sentence_for_the_person(tmp_path: Path) -> None:
    async def full() -> AsyncIterator[bytes]:
        yield b"some"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(UserError, match=r"a.txt could not be kept: the disk of this Hobnob is full"):
        await Uploads(tmp_path).keep(full(), "a.txt")


@pytest.mark.parametrize("id", ["", "..", "../../etc/passwd", "0" * 32, "A" * 32, "0" * 31 + "/"])
def test_an_id_that_is_none_finds_nothing(tmp_path: Path, id: str) -> None:
    with pytest.raises(UserError, match="not kept any more"):
        Uploads(tmp_path).path(id)


async def test_old_files_and_torn_uploads_are_swept(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    old, new = await uploads.put(b"old", "a"), await uploads.put(b"new", "b")
    torn = tmp_path / "x.part"
    torn.write_bytes(b"")
    now = (tmp_path / new.id).stat().st_mtime
    os.utime(tmp_path / old.id, (now - KEPT - 1, now - KEPT - 1))
    os.utime(torn, (now - 90_000, now - 90_000))

    assert uploads.sweep(now) == 2
    assert names(tmp_path) == [new.id]


def test_an_upload_that_gets_its_name_while_old_files_are_swept_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "x.part").symlink_to(tmp_path / "gone")  # is listed and cannot be looked at, as one that was renamed in between

    assert Uploads(tmp_path).sweep() == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\evil.exe", "C_evil.exe"),
        ("", "file"),
        (" . ", "file"),
        ("a\x00b\n.txt", "a_b_.txt"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("文件.txt", "文件.txt"),
    ],
)
def test_a_name_holds_no_folder_and_no_trick(given: str, kept: str) -> None:
    assert safe(given) == kept


def test_a_long_name_keeps_its_ending() -> None:
    assert len(safe("x" * 400 + ".webm")) == 120
    assert safe("x" * 400 + ".webm").endswith(".webm")


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"OggS\x00OpusHead", "audio/ogg"),
        (b"\x1a\x45\xdf\xa3webm A_OPUS", "audio/webm"),
        (b"\x1a\x45\xdf\xa3webm A_OPUS \x1f\x43\xb6\x75 V_", "audio/webm"),
        (b"\x1a\x45\xdf\xa3webm V_VP8 A_OPUS", "video/webm"),
        (b"\x00\x00\x00\x1cftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x1cftypiso5 soun", "audio/mp4"),
        (b"\x00\x00\x00\x1cftypisom vide soun", "video/mp4"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"#!AMR\n\x3c", "audio/amr"),
        (b"\xff\xfea\0", "application/octet-stream"),
        (b"%PDF-1.7", "application/pdf"),
        (b"<svg onload=alert(1)>", "text/plain"),
        (b"a text that is cut inside a letter: \xc3", "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"\xfe\xed\xfa\xce", "application/octet-stream"),
    ],
)
def test_the_first_bytes_say_what_a_file_is(head: bytes, mime: str) -> None:
    assert sniff(head) == mime
