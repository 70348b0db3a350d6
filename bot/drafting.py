"""Changes of the configuration that are shown before they are written: bot.toml with its comments, secrets in `.env` beside it."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from bot.config import DOTENV, sound
from bot.errors import ConfigError

NAME = re.compile(r"[A-Z_][A-Z0-9_]*")


class Draft:
    """What a configuration is to become. Nothing is written before `write`."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError where a file there cannot be understood; one that is not there is empty."""
        self.file = file
        self.secrets = file.parent / DOTENV
        self._before, self._hidden = _read(self.file), _read(self.secrets)
        self._after = self._hidden
        self._set: list[str] = []
        try:
            self._document = tomlkit.parse(self._before)
        except TOMLKitError as error:
            raise ConfigError(f"{file}: {error}") from error

    def set(self, at: Sequence[str], value: Any) -> None:
        """Sets a key; its tables are made where there are none, and everything else stays as it is."""
        table: Any = self._document
        for depth, name in enumerate(at[:-1]):
            if name not in table:
                table[name] = tomlkit.table(is_super_table=depth < len(at) - 2)
            table = table[name]
        if at[-1] not in table or table[at[-1]] != value:
            table[at[-1]] = value

    def table(self, at: Sequence[str]) -> None:
        """Makes a table where there is none, for a plugin that is switched on by that."""
        table: Any = self._document
        for depth, name in enumerate(at):
            if name not in table:
                table[name] = tomlkit.table(is_super_table=depth < len(at) - 1)
            table = table[name]

    def drop(self, at: Sequence[str]) -> None:
        """Takes a key or a table out, if it is there."""
        table: Any = self._document
        for name in at[:-1]:
            table = table.get(name, {})
        if isinstance(table, Table) or table is self._document:
            table.pop(at[-1], None)

    def secret(self, name: str, value: str) -> None:
        """Sets an environment variable, which is never shown. Raises ConfigError for what no line can hold."""
        if not NAME.fullmatch(name) or re.search(r"['\n\r\\]", value):
            raise ConfigError(f"{name}: expected a value of one line without quotes")
        line = f"{name}='{value}'"
        pattern = re.compile(rf"^(?:export )?{name}=.*$", re.MULTILINE)
        if pattern.search(self._after):
            self._after = pattern.sub(lambda _: line, self._after, count=1)
        else:
            self._after += ("" if not self._after or self._after.endswith("\n") else "\n") + line + "\n"
        self._set.append(name)

    @property
    def text(self) -> str:
        """What bot.toml is to say."""
        return tomlkit.dumps(self._document)

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.text != self._before or self._after != self._hidden

    def shown(self) -> str:
        """What is to change, line by line; of secrets their names."""
        lines = difflib.unified_diff(self._before.splitlines(), self.text.splitlines(), str(self.file), str(self.file), lineterm="")
        secrets = [f"{self.secrets}: {name} is set (not shown)" for name in dict.fromkeys(self._set)] if self._after != self._hidden else []
        return "\n".join([*lines, *secrets])

    def write(self) -> None:
        """Writes both whole or not at all. Raises ConfigError with every fault that the new configuration would have."""
        text, after = self.text, self._after
        with tempfile.TemporaryDirectory(dir=self.file.parent, prefix=".draft-") as folder:
            drafted, hidden = Path(folder) / self.file.name, Path(folder) / DOTENV
            drafted.write_text(text, encoding="utf-8")
            if faults := sound(drafted)[1]:
                raise ConfigError(*(fault.replace(str(drafted), str(self.file)) for fault in faults))
            if after != self._hidden:
                hidden.touch(mode=0o600)
                hidden.write_text(after, encoding="utf-8")
                hidden.replace(self.secrets)
            if text != self._before:
                if self.file.exists():
                    drafted.chmod(self.file.stat().st_mode & 0o777)
                drafted.replace(self.file)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: expected a file that can be read, found: {error}") from error
