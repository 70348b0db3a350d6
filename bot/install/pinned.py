"""`plugins.lock`, beside bot.toml: which plugins were added, from where, in which version, and what came with them. Adding: `plan.py`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot import writing
from bot.errors import ConfigError

HEAD = "# Written by `hobnob plugins add`, `update` and `remove`.\n"


class Pin(BaseModel):
    """One plugin. `hash` is the SHA-256 of its wheel; `brought` are the distributions, by name, that were installed for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: str = Field(alias="from")
    package: str
    version: str
    hash: str
    brought: dict[str, str] = {}


_pins: TypeAdapter[dict[str, Pin]] = TypeAdapter(dict[str, Pin])


def place(configuration: Path) -> Path:
    """Where the pins of this bot.toml are."""
    return configuration.with_name("plugins.lock")


def read(configuration: Path) -> dict[str, Pin]:
    """By the names of the plugins. Raises ConfigError for a file that somebody else has written."""
    path = place(configuration)
    try:
        return _pins.validate_python(tomllib.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{path}: expected what `hobnob plugins add` writes, found {str(error).splitlines()[0]}: delete it") from error


def write(configuration: Path, pins: Mapping[str, Pin]) -> None:
    """Replaces the file; without any pin there is none. Raises ConfigError."""
    path = place(configuration)
    if not pins:
        path.unlink(missing_ok=True)
        return
    table = {name: pin.model_dump(by_alias=True) for name, pin in sorted(pins.items())}
    writing.write(path, HEAD + tomli_w.dumps(table))
