"""Files that are replaced whole or not at all, alone or two together. What is written, and when: `editing.py`."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.errors import ConfigError


def write(path: Path, text: str, *, private: bool = False) -> None:
    """Replaces the file whole or not at all. Raises ConfigError.

    Who may read it stays as it is; a new one, and what is `private`, is its owner's alone.
    """
    try:
        _put(path, text, path, private=private)
    except OSError as error:
        raise ConfigError(unwritten(path, error)) from error


def write_both(path: Path, text: str, secrets: Path, hidden: str) -> None:
    """Replaces a file and the one with its secrets in the same folder, both or neither. Raises ConfigError.

    Where this process is ended in between, `settle` does the rest, which whoever reads them calls first.
    """
    waiting, meant = _waiting(path)
    try:
        with _alone(path.parent):
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            try:
                _put(waiting, text, path)
                _put(meant, hidden, secrets, private=True)  # from here on both will be there
                _move(path, secrets)
            except OSError:
                moved = meant.is_file() and not waiting.exists()
                for one in (meant, waiting):
                    with suppress(OSError):
                        one.unlink()
                if moved:
                    _put(path, before, path)
                raise
    except OSError as error:
        raise ConfigError(unwritten(path, error)) from error


def settle(path: Path, secrets: Path) -> None:
    """Does what is left of a `write_both` whose process was ended. Raises ConfigError."""
    if not os.path.exists(_waiting(path)[1]):  # noqa: PTH110  # a folder that may not be read is for the reader to name
        return
    try:
        with _alone(path.parent):
            _move(path, secrets)
    except OSError as error:
        raise ConfigError(f"a change of it was cut off, and the rest of it {unwritten(path, error)}") from error


def unwritten(path: Path, error: OSError) -> str:
    """The fault of a file that refuses."""
    return f"{path} cannot be written: {error.strerror or error}"


def _waiting(path: Path) -> tuple[Path, Path]:
    """Where both wait for their places; once the second is there, both are meant."""
    return path.with_name(f".{path.name}.next"), path.with_name(f".{path.name}.secrets.next")


def _move(path: Path, secrets: Path) -> None:
    waiting, meant = _waiting(path)
    if meant.exists():
        with suppress(FileNotFoundError):  # it was moved before
            waiting.replace(path)
        meant.replace(secrets)


def _put(path: Path, text: str, like: Path, *, private: bool = False) -> None:
    """Replaces the file; who may read `like` may read it."""
    made = path.with_name(f".{path.name}.new")
    try:
        made.unlink(missing_ok=True)
        made.touch(mode=0o600)
        if like.exists() and not private:
            made.chmod(like.stat().st_mode & 0o777)
        with made.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except OSError:
        with suppress(OSError):
            made.unlink()
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process is in the middle of this; what was written before is on the disk before what comes after."""
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
