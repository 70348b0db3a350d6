"""The file that a backup is: whom it is encrypted for, what somebody put into it, and files that come and go meanwhile."""

from __future__ import annotations

import errno
import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot import backup
from bot.backup import Archive, Manifest, make_key, opened
from bot.errors import UserError
from bot.store.dump import Record

EMPTY = Manifest(release="1", form=1, at="now", keys=0, whole=True, secrets=False)


async def nothing() -> AsyncIterator[Record]:
    """What a store keeps that is empty."""
    none: tuple[Record, ...] = ()
    for record in none:
        yield record


async def test_what_is_encrypted_for_an_ssh_key_is_read_with_it(tmp_path: Path) -> None:
    own = Ed25519PrivateKey.generate()
    public = own.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    (tmp_path / "own").write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    await backup.write(tmp_path / "b.age", EMPTY, nothing(), "[web]", tmp_path / "none", [f"{public} ada@home"])
    with opened(tmp_path / "b.age", tmp_path / "own") as archive:
        assert archive.config == "[web]"
    (tmp_path / "public").write_text(public)
    with pytest.raises(UserError, match="or an SSH private key without a passphrase"), opened(tmp_path / "b.age", tmp_path / "public"):
        pass


async def test_files_of_a_forged_backup_stay_in_their_folder(tmp_path: Path) -> None:
    """Somebody may hand an operator one."""
    (tmp_path / "secret").write_text("secret")
    await backup.write(tmp_path / "b.tar.gz", EMPTY, nothing(), "", tmp_path / "none")
    with tarfile.open(tmp_path / "forged.tar.gz", "w:gz") as out, tarfile.open(tmp_path / "b.tar.gz") as of:
        for member in of:
            out.addfile(member, of.extractfile(member))
        out.add(tmp_path / "secret", "files/../../escaped")
        out.add(tmp_path / "secret", "models/../escaped.toml")
    with opened(tmp_path / "forged.tar.gz") as archive:
        assert archive.beside() == {}
    with opened(tmp_path / "forged.tar.gz") as archive, pytest.raises((tarfile.FilterError, UserError)):
        archive.unpack(tmp_path / "data/files")
    assert not (tmp_path / "escaped").exists()


def test_a_newer_archive_asks_for_an_update(tmp_path: Path) -> None:
    newer = Manifest(format=backup.FORMAT + 1, release="9.9", form=1, at="now", keys=0, whole=True, secrets=False).model_dump_json()
    with tarfile.open(tmp_path / "newer.tar.gz", "w:gz") as out:
        info = tarfile.TarInfo(backup.MANIFEST)
        info.size = len(newer)
        out.addfile(info, io.BytesIO(newer.encode()))
    with pytest.raises(UserError, match=r"made by Hobnob 9\.9, which is newer"), opened(tmp_path / "newer.tar.gz") as archive:
        assert isinstance(archive, Archive)


def test_a_damaged_key_to_encrypt_for_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"AGE-SECRET-KEY-1CUT-OFF\n")
    with pytest.raises(UserError, match="its line AGE-SECRET-KEY-… is damaged"):
        make_key(tmp_path / "key")
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="expected a line AGE-SECRET-KEY-…, found none"):
        make_key(tmp_path / "key")


async def rooms(folder: Path) -> Path:
    """A backup of two files of rooms, of which it is made while the second goes away: the first is longer than what is read at once."""
    (folder / "rooms").mkdir()
    (folder / "rooms/a").write_bytes(b"a" * 100_000)
    (folder / "rooms/b").write_bytes(b"b")
    plain = tarfile.TarFile.addfile

    def add(tar: tarfile.TarFile, info: tarfile.TarInfo, *rest: Any) -> None:
        plain(tar, info, *rest)
        if info.name == "files/a":
            (folder / "rooms/b").unlink()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tarfile.TarFile, "addfile", add)
        await backup.write(folder / "rooms.tar.gz", EMPTY, nothing(), "", folder / "rooms")
    return folder / "rooms.tar.gz"


async def test_a_file_whose_room_goes_meanwhile_keeps_no_backup_from_being_made(tmp_path: Path) -> None:
    with opened(await rooms(tmp_path)) as archive:
        assert archive.unpack(tmp_path / "back") == 1
    assert [one.name for one in (tmp_path / "back").iterdir()] == ["a"]


async def test_a_file_that_was_cut_off_comes_back_whole_at_the_next_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(tar: tarfile.TarFile, info: tarfile.TarInfo, path: str) -> None:
        Path(path).write_bytes(b"a")
        raise OSError(errno.ENOSPC, "No space left on device")

    path = await rooms(tmp_path)
    with monkeypatch.context() as patch, opened(path) as archive, pytest.raises(OSError, match="No space left"):
        patch.setattr(tarfile.TarFile, "makefile", cut)
        archive.unpack(tmp_path / "back")
    assert list((tmp_path / "back").iterdir()) == [], "nobody would take away what there is of it"
    with opened(path) as archive:
        archive.unpack(tmp_path / "back")
    assert {one.name: one.read_bytes() for one in (tmp_path / "back").iterdir()} == {"a": b"a" * 100_000}
