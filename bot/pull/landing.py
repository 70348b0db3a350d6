"""A model's folder on disk: what is recorded about it, whether it is whole, and how a new one takes its place. Downloads: `fetching.py`."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.catalogue import Entry
from bot.origins import Shipped

RECORD = "hobnob.json"

Status = Literal["ready", "own", "outdated", "broken", "absent"]
"""`own`: the operator put the folder there, without a record, and it is left alone; `broken`: a file is missing or cut."""


class Landed(BaseModel):
    """One file as it was when it was verified; `size` in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sha256: str


class Record(BaseModel):
    """What a pulled folder was made from and what is in it; lies beside the files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    files: dict[str, Landed]


def status(entry: Entry, models_dir: Path) -> Status:
    """Whether the model can be loaded, judged by its record and the files' sizes; takes under a millisecond."""
    folder = entry.folder(models_dir)
    if not folder.is_dir():
        return "absent"
    if isinstance(entry.source, Shipped):
        return "ready"
    if not (folder / RECORD).exists():
        return "own"
    record = _record(folder)
    if record is None or any(_size(folder / path) != landed.size for path, landed in record.files.items()):
        return "broken"
    return "ready" if record.source == entry.digest else "outdated"


def verify(entry: Entry, models_dir: Path) -> list[str]:
    """Reads every file again and names those that are not what they were; empty when all is well."""
    folder = entry.folder(models_dir)
    if isinstance(entry.source, Shipped):
        return [] if folder.is_dir() else [f"{folder}: not there; install Hobnob anew"]
    record = _record(folder)
    if record is None:
        return [f"{folder}: no record of a pull; run `hobnob models pull {entry.name}`"]
    return [
        f"{folder / path}: expected {landed.sha256}, found another content"
        for path, landed in record.files.items()
        if _size(folder / path) != landed.size or sha256(folder / path) != landed.sha256
    ]


def land(entry: Entry, made: Path, models_dir: Path) -> None:
    """Writes the record into `made` and moves it to the model's folder, replacing an older one that was pulled."""
    paths = sorted(path for path in made.rglob("*") if path.is_file())
    for path in paths:
        path.chmod(0o644)  # some writers make files that only their owner can read, and the worker may be another user
    files = {path.relative_to(made).as_posix(): Landed(size=path.stat().st_size, sha256=sha256(path)) for path in paths}
    (made / RECORD).write_text(Record(source=entry.digest, files=files).model_dump_json(indent=2), encoding="utf-8")
    folder = entry.folder(models_dir)
    if folder.exists():
        old = made.with_name("replaced")
        folder.rename(old)
        made.rename(folder)
        shutil.rmtree(old)
    else:
        made.rename(folder)


def sha256(path: Path) -> str:
    """The hash of a file's content, as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _record(folder: Path) -> Record | None:
    try:
        return Record.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError):
        return None
