"""Changes of the configuration, shown before they are written: bot.toml keeps its comments, secrets go to `.env` beside it.

TOML libraries that keep comments give those below a table to it, and take them away with it; so lines are edited, and what comes out is
compared with what was meant before it is written. What may stand there: `config.py`; how files are replaced: `writing.py`.
"""

from __future__ import annotations

import difflib
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

import tomli_w

from bot.config import DOTENV, sound
from bot.errors import ConfigError
from bot.faults import Location, positions
from bot.log import Redaction
from bot.writing import settle, unwritten, write, write_both

NAME = re.compile(r"[A-Z_][A-Z0-9_]*")

SECRET = re.compile(r"token|key|secret|passw|proxy|credential", re.IGNORECASE)
"""What the keys are called whose values nobody is shown."""

HANDS = "the configuration is written in a way that cannot be changed safely"

MEANWHILE = "has been changed meanwhile: begin anew, and nothing of that is lost"


class Draft:
    """What a configuration is to become. Nothing is written before `write`."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError where a file there cannot be understood; one that is not there is empty."""
        self.file = file
        self.secrets = file.parent / DOTENV
        settle(self.file, self.secrets)
        self._before, self._hidden = _read(self.file), _read(self.secrets)
        self.text, self._after = self._before, self._hidden
        """What bot.toml is to say, and the file beside it."""
        self.set_secrets: dict[str, str] = {}
        """Those that are new, by their names."""
        self._dropped: dict[Location, dict[str, Any]] = {}
        try:
            tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{file}: {error}") from error

    def found(self, at: Sequence[str]) -> Any:
        """What stands there, None for nothing."""
        return _found(tomllib.loads(self.text), at)

    def set(self, at: Sequence[str], value: Any) -> None:
        """Sets a key; its table is made where there is none, and everything else stays as it is. Raises ConfigError."""
        for gone in [one for one in self._dropped if tuple(at[: len(one)]) == one]:
            self.table(gone)
        self.text = with_value(self.text, tuple(at), value)

    def table(self, at: Sequence[str]) -> None:
        """Makes a table where there is none, which switches a plugin on; one that was dropped comes back. Raises ConfigError."""
        if not isinstance(self.found(at), dict):
            changed = with_table(self.text, tuple(at), self._dropped.pop(tuple(at), {}))
            self.text = self._before if tomllib.loads(changed) == tomllib.loads(self._before) else changed

    def drop(self, at: Sequence[str]) -> None:
        """Takes a table or a value out, if it is there. Raises ConfigError."""
        if (found := self.found(at)) is not None:
            self.text = without(self.text, tuple(at))
            self._dropped |= {tuple(at): found} if isinstance(found, dict) else {}

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
        self.set_secrets[name] = value

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.text != self._before or self._after != self._hidden

    def shown(self) -> str:
        """What is to change, line by line and without what stands around it; of secrets their names."""
        texts = (self._before, self.text)
        hide = Redaction(secret for text in texts for secret in _secrets(tomllib.loads(text)))
        before, after = (hide(text).splitlines() for text in texts)
        lines = difflib.unified_diff(before, after, str(self.file), str(self.file), lineterm="", n=0)
        secrets = [f"{self.secrets}: {name} is set (not shown)" for name in self.set_secrets] if self._after != self._hidden else []
        return "\n".join([*lines, *secrets])

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """What bot.toml is to say, in a file beside it, for whoever looks before it is written. What is said of that file in a ConfigError
        is said of bot.toml. Raises ConfigError where none can be made."""
        try:
            number, name = tempfile.mkstemp(dir=self.file.parent, prefix=f".{self.file.name}.", suffix=".draft")
        except OSError as error:
            raise ConfigError(unwritten(self.file, error)) from error
        drafted = Path(name)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(self.text)
            yield drafted
        except ConfigError as error:
            raise ConfigError(*(fault.replace(name, str(self.file)) for fault in error.faults)) from None
        except OSError as error:
            raise ConfigError(unwritten(self.file, error)) from error
        finally:
            drafted.unlink(missing_ok=True)

    def write(self) -> None:
        """Writes both whole or not at all. Raises ConfigError with every fault that the new configuration would have."""
        if (_read(self.file), _read(self.secrets)) != (self._before, self._hidden):
            raise ConfigError(f"{self.file} {MEANWHILE}")
        with self.aside() as drafted:
            if faults := sound(drafted)[1]:
                raise ConfigError(*faults)
        match self.text != self._before, self._after != self._hidden:
            case True, True:
                write_both(self.file, self.text, self.secrets, self._after)
            case True, False:
                write(self.file, self.text)
            case False, True:
                write(self.secrets, self._after, private=True)


def with_value(text: str, at: Location, value: Any) -> str:
    """The text with this value there; what is said behind one that it replaces stays. Raises ConfigError where that is not possible."""
    document, places = tomllib.loads(text), positions(text)
    if _found(document, at) == value:
        return text
    lines, line = _lines(text), f"{_key(at[-1])} = {_value(value)}"
    if at in places:
        start, end = places[at], min((one for one in places.values() if one > places[at]), default=len(lines) + 1)
        last = _last(lines, start, end)
        lines[start - 1 : last] = [f"{line}{_remark(lines[start - 1]) if last == start else ''}\n"]
    elif start := next((head for head in _heads(text) if places.get(at[:-1]) == head), 0):
        last = _last(lines, start, min((one for one in _heads(text) if one > start), default=len(lines) + 1))
        lines.insert(last, f"{line}\n")
    else:
        lines = _appended(lines, f"[{'.'.join(map(_key, at[:-1]))}]\n{line}\n")
    return _meant("".join(lines), _changed(document, at, value), f"set {'.'.join(at)}")


def with_table(text: str, at: Location, keys: Mapping[str, Any]) -> str:
    """The text with this table, at its end. Raises ConfigError where that is not possible."""
    nested = reduce(lambda inner, name: {name: inner}, reversed(at), dict(keys))
    table = tomli_w.dumps(nested) if keys else f"[{'.'.join(map(_key, at))}]\n"
    changed = "".join(_appended(_lines(text), table))
    return _meant(changed, _changed(tomllib.loads(text), at, dict(keys)), f"add the table [{'.'.join(at)}]")


def without(text: str, at: Location) -> str:
    """The text without this value, or this table and those below it; comments stay. Raises ConfigError where that is not possible."""
    lines, document, places = _lines(text), tomllib.loads(text), positions(text)
    theirs = {line for place, line in places.items() if place[: len(at)] == at}
    edges = _heads(text) if isinstance(_found(document, at), dict) else sorted({*places.values()})
    for start, end in reversed(list(pairwise([*edges, len(lines) + 1]))):
        if start in theirs:
            del lines[start - 1 : _last(lines, start, end)]
    return _meant("".join(lines), _changed(document, at, None), f"remove {'.'.join(at)}")


def _secrets(value: Any, *, secret: bool = False) -> Iterator[str]:
    """The words below keys that are called like secrets."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from _secrets(inner, secret=secret or bool(SECRET.search(name)))
        case list():
            for inner in value:
                yield from _secrets(inner, secret=secret)
        case str() if secret:
            yield value


def _lines(text: str) -> list[str]:
    return (text if text.endswith("\n") or not text else f"{text}\n").splitlines(keepends=True)


def _appended(lines: Sequence[str], table: str) -> list[str]:
    before = "".join(lines).rstrip()
    return [f"{before}\n\n" if before else "", table]


def _heads(text: str) -> list[int]:
    """The lines on which tables begin."""
    lines, document = text.splitlines(), tomllib.loads(text)
    places = positions(text).items()
    return sorted(line for at, line in places if isinstance(_found(document, at), dict | list) and lines[line - 1].lstrip().startswith("["))


def _last(lines: Sequence[str], start: int, end: int) -> int:
    """The line of the last value of what begins at `start`, before `end`: blank lines and comments behind it are not counted."""
    while end - 2 >= start and (not lines[end - 2].strip() or lines[end - 2].lstrip().startswith("#")):
        end -= 1
    return end - 1


def _remark(line: str) -> str:
    """What is said behind the value on its line, with the blanks before it."""
    for found in re.finditer(r"\s+#", line):
        try:
            tomllib.loads(line[: found.start()])
        except tomllib.TOMLDecodeError:  # within a string
            continue
        return line[found.start() :].rstrip()
    return ""


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else tomli_w.dumps({name: 0}).partition(" = ")[0]


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return tomli_w.dumps({"x": value}).partition(" = ")[2].strip()


def _found(document: Any, at: Sequence[str]) -> Any:
    for word in at:
        document = document.get(word) if isinstance(document, dict) else None
    return document


def _changed(document: dict[str, Any], at: Location, value: Any) -> dict[str, Any]:
    """The document with this value there, or without any."""
    first, *rest = at
    inner = document.get(first)
    if rest:
        return {**document, first: _changed(inner if isinstance(inner, dict) else {}, tuple(rest), value)}
    left = {name: one for name, one in document.items() if name != first}
    return left if value is None else {**left, first: value}


def _meant(changed: str, meant: dict[str, Any], what: str) -> str:
    """The changed text, if it says what was meant and nothing else."""
    try:
        found = tomllib.loads(changed)
    except tomllib.TOMLDecodeError:
        found = {}
    if _filled(found) != _filled(meant):
        raise ConfigError(f"{HANDS}: {what} by hand")
    return changed


def _filled(document: dict[str, Any]) -> dict[str, Any]:
    """Without tables at the top that hold nothing: they go with the last one below them."""
    return {name: one for name, one in document.items() if one != {}}


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: expected a file that can be read, found: {error}") from error
