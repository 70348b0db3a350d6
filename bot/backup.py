"""A backup: one file with what the store keeps, the files of rooms and the configuration. What of the store: `store/dump.py`.

It is a tar archive, gzipped; encrypted, it is one in the format of age (https://age-encryption.org), which other tools read too.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
import zlib
from collections.abc import AsyncIterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, BinaryIO, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import UserError
from bot.store.dump import Record

FORMAT = 1
"""Of the archive itself."""

MANIFEST, KEYS, CONFIG, FILES = "manifest.json", "keys.jsonl", "bot.toml", "files/"

ENV, ENTRIES = ".env", "models/"
"""What lies beside these, if there is any: the tokens of the configuration, and models that were added."""

FOLDER = "backups"
"""Where they are in the data directory, unless somebody says otherwise."""

MAGIC = b"age-encryption.org/"
"""What an encrypted one begins with."""


NOTHING: Mapping[str, bytes] = MappingProxyType({})


class Manifest(BaseModel):
    """What is in a backup: written by which release at which time (ISO 8601), in which form of the store, how many keys.

    `whole` says that nothing was under way, or that it is there too; `secrets` that sessions and tokens are in it.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    release: str
    form: int
    at: str
    keys: int
    whole: bool
    secrets: bool


class Archive:
    """A backup that is being read."""

    def __init__(self, tar: tarfile.TarFile, name: str) -> None:
        self._tar = tar
        self._name = name
        try:
            self.manifest = Manifest.model_validate_json(self._content(MANIFEST))
        except ValidationError as error:
            raise _useless(name, f"its {MANIFEST} cannot be understood") from error
        if self.manifest.format > FORMAT:
            raise UserError(f"{name} was made by Hobnob {self.manifest.release}, which is newer than this one: update first")

    @property
    def config(self) -> str:
        """The configuration; where secrets were left out, `[hidden]` stands for them. Raises UserError."""
        try:
            return self._content(CONFIG).decode()
        except UnicodeDecodeError as error:
            raise _useless(self._name, f"its {CONFIG} cannot be understood") from error

    def records(self) -> Iterator[Record]:
        """What the store kept. Raises UserError for what is no record, and when there are fewer than there should be."""
        count = 0
        for line in self._open(KEYS):
            try:
                yield Record.model_validate_json(line)
            except ValidationError as error:
                raise _useless(self._name, f"key {count + 1} cannot be understood") from error
            count += 1
        if count != self.manifest.keys:
            raise _useless(self._name, f"expected {self.manifest.keys} keys, found {count}")

    def check(self) -> None:
        """Reads all of it to the end, where gzip's checksum stands. Raises UserError where any of it is missing, damaged or forged."""
        for _ in self.records():
            pass
        _ = self.config, self.beside(), self._files()
        while cast("IO[bytes]", self._tar.fileobj).read(1 << 20):
            pass

    def beside(self) -> dict[str, bytes]:
        """The content of `ENV`, which is there with secrets alone, and of each of `ENTRIES`, by name: `models/NAME.toml`."""
        found = [member.name for member in self._tar if member.isfile() and _of_beside(member.name)]
        return {name: self._content(name) for name in found}

    def unpack(self, folder: Path) -> int:
        """Puts the files of rooms there, and says how many; one that is there stays, and none is left that was cut off."""
        found = self._files()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for member in found:
            place, part = (folder / member.name.removeprefix(FILES), folder / f"{member.name.removeprefix(FILES)}.part")
            if not place.exists():
                try:
                    self._tar.extract(member.replace(name=part.name), folder, filter="data")
                    part.replace(place)  # what was cut off would pass for it at the next try
                finally:
                    part.unlink(missing_ok=True)
        return len(found)

    def _files(self) -> list[tarfile.TarInfo]:
        """Those of rooms. Raises UserError where one would lie elsewhere, or is no file."""
        found = [member for member in self._tar if member.name.startswith(FILES)]
        for member in found:
            name = member.name.removeprefix(FILES)
            if not member.isfile() or name != Path(name).name or name in ("", ".."):
                raise _useless(self._name, f"{member.name} is no file of a room")
        return found

    def _open(self, name: str) -> IO[bytes]:
        with suppress(KeyError):
            if (file := self._tar.extractfile(name)) is not None:
                return file
        raise _useless(self._name, f"it has no {name}")

    def _content(self, name: str) -> bytes:
        return self._open(name).read()


async def write(
    path: Path,
    manifest: Manifest,
    records: AsyncIterable[Record],
    config: str,
    files: Path,
    to: Sequence[str] = (),
    beside: Mapping[str, bytes] = NOTHING,
) -> Manifest:
    """Writes a backup, whole or not at all, that only whoever has a key of `to` (age recipients) can read; its manifest, with the count.

    `beside` is what `Archive.beside` gives back.

    Raises UserError for what is no recipient and for a file that cannot be read, OSError for what cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
        keys, made = Path(folder) / KEYS, Path(folder) / "made"
        count = 0
        with keys.open("w", encoding="utf-8") as lines:
            async for record in records:
                lines.write(f"{record.model_dump_json()}\n")
                count += 1
        manifest = manifest.model_copy(update={"keys": count})
        with _sealed(made, to) as out, gzip.GzipFile(fileobj=out, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
            _add(tar, MANIFEST, manifest.model_dump_json(indent=1).encode())
            tar.add(keys, KEYS)
            _add(tar, CONFIG, config.encode())
            for name, content in beside.items():
                _add(tar, name, content)
            for one in _within(files):
                _add_file(tar, one)
        made.chmod(0o600)
        made.replace(path)
    return manifest


@contextmanager
def opened(path: Path, key: Path | None = None) -> Iterator[Archive]:
    """A backup to read, with the `key` (a file with age identities) where it is encrypted. Raises UserError for what is none."""
    with path.open("rb") as file, tempfile.TemporaryFile(dir=path.parent) as plain:
        encrypted = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        if encrypted:
            _decrypt(file, cast("BinaryIO", plain), path, key)
            plain.seek(0)
        try:
            with tarfile.open(fileobj=plain if encrypted else file, mode="r:gz") as tar:
                yield Archive(tar, path.name)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise _useless(path.name, str(error)) from error


def _of_beside(name: str) -> bool:
    """Nothing that lies deeper, so that a forged one leads nowhere else."""
    entry = name.removeprefix(ENTRIES)
    return name == ENV or (entry != name and entry.endswith(".toml") and entry == Path(entry).name)


def _within(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    tar.addfile(info, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, path: Path) -> None:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # its room was removed meanwhile
        return
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        tar.addfile(tar.gettarinfo(arcname=FILES + path.name, fileobj=file), file)


@contextmanager
def _sealed(path: Path, to: Sequence[str]) -> Iterator[BinaryIO]:
    """A file to write, which is encrypted once it is whole."""
    plain = path.with_suffix(".plain") if to else path
    with plain.open("wb") as out:
        yield out
    if to:
        import pyrage

        with plain.open("rb") as reader, path.open("wb") as writer:
            pyrage.encrypt_io(reader, writer, [_recipient(one) for one in to])


def _recipient(word: str) -> object:
    import pyrage

    try:
        return pyrage.ssh.Recipient.from_str(word) if word.startswith("ssh-") else pyrage.x25519.Recipient.from_str(word)
    except pyrage.RecipientError as error:
        raise UserError(f"{word}: expected a recipient, as `age-keygen` prints it (age1…), or an SSH public key") from error


def _decrypt(reader: BinaryIO, writer: BinaryIO, path: Path, key: Path | None) -> None:
    import pyrage

    if key is None:
        raise UserError(f"{path.name} is encrypted: name the file with its key, --key FILE")
    identities = _identities(key)
    try:
        pyrage.decrypt_io(reader, writer, identities)
    except pyrage.DecryptError as error:
        raise UserError(f"{path.name} cannot be read with {key}: it is damaged, or was encrypted for another key") from error


def _identities(key: Path) -> Sequence[object]:
    """What a file holds: keys of age, one a line, or an SSH private key. Raises UserError for neither."""
    import pyrage

    content = key.read_bytes()
    words = _keys(content)
    try:
        return [pyrage.x25519.Identity.from_str(word) for word in words] or [pyrage.ssh.Identity.from_buffer(content)]
    except pyrage.IdentityError as error:
        raise UserError(f"{key}: expected a line AGE-SECRET-KEY-…, or an SSH private key without a passphrase: {error}") from error


def _keys(content: bytes) -> list[str]:
    """Those of age, as they stand there; not whether they are any."""
    return [line.strip() for line in content.decode(errors="replace").splitlines() if line.startswith("AGE-SECRET-KEY-")]


def make_key(path: Path) -> str:
    """The recipient of the key in this file, which is made when it is not there. Raises UserError when it holds none."""
    import pyrage

    if not path.exists():
        identity = pyrage.x25519.Identity.generate()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    if not (words := _keys(path.read_bytes())):
        raise UserError(f"{path}: expected a line AGE-SECRET-KEY-…, found none")
    try:
        return str(pyrage.x25519.Identity.from_str(words[0]).to_public())
    except pyrage.IdentityError as error:
        raise UserError(f"{path}: its line AGE-SECRET-KEY-… is damaged: {error}") from error


def _useless(name: str, why: str) -> UserError:
    return UserError(f"{name} is no backup of Hobnob, or damaged: {why}")
