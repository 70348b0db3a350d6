"""Where a plugin comes from: a folder, a project, a wheel, a git commit or a package; and its wheel, made or brought. In it: `wheel.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.errors import ConfigError
from bot.pip import PipError, pip

Kind = Literal["folder", "project", "wheel", "commit", "package"]

COMMIT = re.compile(r"git\+[a-z+]+://\S+@[0-9a-f]{40}(#\S*)?")
PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[\w,-]+\])?(?:[=<>!~]=?[^;@\s]+)?")


@dataclass(frozen=True, slots=True)
class Source:
    """What the operator named."""

    text: str
    kind: Kind

    @classmethod
    def of(cls, text: str) -> Source:
        """Raises ConfigError, which says what may be named."""
        path = Path(text).expanduser()
        if text.startswith("git+"):
            if not COMMIT.fullmatch(text):
                raise ConfigError(f"{text}: expected git+URL@COMMIT with all 40 digits of it: a branch or tag may be other code tomorrow")
            return cls(text, "commit")
        if path.suffix == ".whl" and path.is_file():
            return cls(str(path.resolve()), "wheel")
        if path.is_dir() or text.startswith((".", "/", "~")):
            return cls(str(path.resolve()), _folder(path))
        if not PACKAGE.fullmatch(text):
            raise ConfigError(f"{text}: expected a folder, a package of an index, or git+URL@COMMIT")
        return cls(text, "package")

    def wheel(self, room: Path, *, upgrade: bool = False) -> Path:
        """Its wheel, in `room`. Raises ConfigError with what pip says. Of a package only wheels are taken: the others run code first."""
        verb = ["download", "--only-binary=:all:", "--dest"] if self.kind == "package" else ["wheel", "--wheel-dir"]
        try:
            pip([*verb, str(room), "--no-deps", "--quiet", *(["--no-cache-dir"] if upgrade else []), self.text])
        except PipError as error:
            other = ". Of one that lies here, name the folder: ./NAME" if self.kind == "package" else ""
            raise ConfigError(f"pip cannot bring {self.text}: {str(error).removeprefix('ERROR: ')}{other}") from error
        return next(room.glob("*.whl"))


def _folder(path: Path) -> Kind:
    if (path / "plugin.toml").is_file():
        return "folder"
    if (path / "pyproject.toml").is_file():
        return "project"
    raise ConfigError(f"{path}: expected a plugin's folder, with plugin.toml, or a project, with pyproject.toml, found neither")
