"""Changes the plugins' tables of a configuration file, and leaves every other character as it is. What may stand there: `config.py`.

TOML libraries that keep comments give those below a table to it, and take them away with it; so lines are edited, and what comes out is
compared with what was meant before it is written.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import tomli_w

from bot.errors import ConfigError
from bot.faults import Location, positions

TABLES = "plugins"


def with_plugin(text: str, name: str, keys: Mapping[str, Any]) -> str:
    """The text with a table for this plugin, at its end. Raises ConfigError where that is not possible."""
    table = tomli_w.dumps({TABLES: {name: dict(keys)}}) if keys else f"[{TABLES}.{name}]\n"
    changed = f"{text.rstrip()}\n\n{table}".lstrip()
    return _meant(changed, lambda tables: {**tables, name: dict(keys)}, text, f"add the table [{TABLES}.{name}]")


def without_plugin(text: str, name: str) -> str:
    """The text without its table, and those below it. Comments stay, since nobody knows to what they belong. Raises ConfigError."""
    lines = text.splitlines(keepends=True)
    document = tomllib.loads(text)
    starts = sorted(line for at, line in positions(text).items() if _is_table(document, at) and lines[line - 1].lstrip().startswith("["))
    theirs = {line for at, line in positions(text).items() if at[:2] == (TABLES, name)}
    for start, end in reversed(list(pairwise([*starts, len(lines) + 1]))):
        if start in theirs:
            del lines[start - 1 : _last(lines, start, end)]
    left = "".join(lines)
    return _meant(left, lambda tables: {key: one for key, one in tables.items() if key != name}, text, f"remove [{TABLES}.{name}]")


def write(path: Path, text: str) -> None:
    """Replaces the file whole or not at all; who may read it stays as it is."""
    made = path.with_name(f".{path.name}.new")
    made.touch(mode=0o600)
    made.chmod(path.stat().st_mode & 0o777)
    made.write_text(text, encoding="utf-8")
    made.replace(path)


def _last(lines: list[str], start: int, end: int) -> int:
    """The line of the table's last value: blank lines and comments behind it stay."""
    while end - 2 >= start and (not lines[end - 2].strip() or lines[end - 2].lstrip().startswith("#")):
        end -= 1
    return end - 1


def _is_table(document: Any, at: Location) -> bool:
    for word in at:
        document = document.get(word) if isinstance(document, dict) else None
    return isinstance(document, dict | list)


def _meant(changed: str, change: Any, before: str, what: str) -> str:
    """The changed text, if it says what was meant and nothing else."""
    document = tomllib.loads(before)
    meant = {**document, TABLES: change(document.get(TABLES, {}))}
    try:
        found = tomllib.loads(changed)
    except tomllib.TOMLDecodeError:
        found = {}
    if {TABLES: {}, **found} != meant:
        raise ConfigError(f"the configuration is written in a way that cannot be changed safely: {what} by hand")
    return changed
