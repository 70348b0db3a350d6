"""Says where a wrong configuration key stands and what is allowed there. Which keys exist: `config.py` and each plugin's Config."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from bot.errors import ConfigError

ENVIRONMENT = "HOBNOB_"
"""What the name of every environment variable of ours begins with; `__` stands for the dot between table and key."""

_KEY = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_PATH = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_LINE = re.compile(rf"^\s*(?:\[\[?\s*(?P<table>{_PATH})\s*\]|(?P<key>{_PATH})\s*=\s*(?P<value>.*))")
_FENCES = ('"""', "'''")

_PLAIN = {
    "path_type": "expected a path in quotes",
    "string_type": "expected text in quotes",
    "frozen_set_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "int_parsing": "expected a whole number",
}
"""What TOML calls the things that pydantic names after Python."""

Location = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A TOML file and the environment beside it: knows which of the two a key came from, and on which line."""

    path: Path
    lines: Mapping[Location, int]
    environ: Mapping[str, str]

    def place(self, at: Location) -> str:
        """`file:line`, or the environment variable, that set this key or the nearest one around it."""
        if (name := variable(at)) in self.environ:
            return f"environment variable {name}"
        near = self._line(at)
        return f"{self.path}:{near}" if near else str(self.path)

    def _line(self, at: Location) -> int:
        return next((self.lines[at[:size]] for size in range(len(at), 0, -1) if at[:size] in self.lines), 0)

    def fault(self, at: Location, what: str) -> str:
        """One line: where, which key, what is wrong."""
        return f"{self.place(at)}: {'.'.join(at)}: {what}"

    def faults(self, error: ValidationError, model: type[BaseModel], under: Location = ()) -> list[str]:
        """One line for each thing that pydantic found wrong in `model`, which stands at `under`; in the order of the file."""
        found = [((*under, *map(str, one["loc"])), _sentence(one, model)) for one in error.errors(include_url=False)]
        return [self.fault(at, what) for at, what in sorted(found, key=lambda one: self._line(one[0]))]


def variable(at: Location) -> str:
    """The environment variable that sets a key."""
    return ENVIRONMENT + "__".join(at).upper()


def read(path: Path, environ: Mapping[str, str]) -> tuple[dict[str, Any], Source]:
    """The document and where everything stands in it. Raises ConfigError naming the line."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), Source(path, positions(text), environ)
    except OSError as error:
        raise ConfigError(f"{path}: expected a configuration file that can be read, found: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax(path, str(error), text)) from error


def positions(text: str) -> dict[Location, int]:
    """The line, counted from 1, on which each table and key of a TOML text stands. Keys of inline tables stand where the table does."""
    found: dict[Location, int] = {}
    table: Location = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
        elif match := _LINE.match(line):
            if match["table"]:
                table = _words(match["table"])
            at = table if match["table"] else table + _words(match["key"])
            found.setdefault(at, number)
            value = match["value"] or ""
            closing = next((fence for fence in _FENCES if value.startswith(fence) and value.count(fence) == 1), "")
    return found


def _words(path: str) -> Location:
    return tuple(word.strip("\"'") for word in re.findall(_KEY, path))


def _syntax(path: Path, what: str, text: str) -> str:
    match = re.search(r" \(at line (\d+), column (\d+)\)$", what)
    line = int(match[1]) if match else max(1, len(text.splitlines()))
    shown = (text.splitlines() or [""])[min(line, len(text.splitlines()) or 1) - 1].strip()
    return f"{path}:{line}: {what[: match.start()] if match else what.removesuffix(' (at end of document)')}: this is not TOML: {shown!r}"


def _sentence(found: Any, model: type[BaseModel]) -> str:
    """What was expected and what was found; a value that may be a secret is not repeated."""
    at = tuple(map(str, found["loc"]))
    if found["type"] == "extra_forbidden":
        return unknown(at[-1], _allowed(model, at[:-1]))
    if found["type"] == "missing":
        return "expected a value, found none"
    plain = re.sub(r"^(Input should be|Value error,) ?", lambda match: "expected " if match[1].startswith("Input") else "", found["msg"])
    expected, input = _PLAIN.get(found["type"], plain), found["input"]
    if _secret(model, at) or (found["type"] == "value_error" and isinstance(input, dict)):  # of a whole table its own words say all
        return expected
    return f"{expected}, found {_short(input)}"


def unknown(key: str, allowed: Iterable[str]) -> str:
    """There is no such key; perhaps another was meant."""
    names = sorted(allowed)
    close = difflib.get_close_matches(key, names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"there is no such key{hint}; allowed here: {', '.join(names) or 'nothing'}"


def _short(value: object) -> str:
    if isinstance(value, dict):  # in which there may be a secret
        return "a table"
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return "a list of tables or lists"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _allowed(model: type[BaseModel], at: Location) -> list[str]:
    inner = _model_at(model, at)
    return [field.alias or name for name, field in inner.model_fields.items()] if inner else []


def _model_at(model: type[BaseModel], at: Location) -> type[BaseModel] | None:
    """The model that describes what stands at a path below `model`, through optional, list and mapping types."""
    here: type[BaseModel] | None = model
    for word in at:
        if here is None:
            return None
        field = here.model_fields.get(word)
        if field is not None:
            here = next(_models(field.annotation), None)
    return here


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    return (kind for kind in _kinds(annotation) if issubclass(kind, BaseModel))


def _secret(model: type[BaseModel], at: Location) -> bool:
    """Whether a secret is meant to stand there, or around there."""
    for size in range(1, len(at) + 1):
        inner = _model_at(model, at[: size - 1])
        field = inner.model_fields.get(at[size - 1]) if inner else None
        if field and {SecretStr, SecretBytes}.intersection(_kinds(field.annotation)):
            return True
    return False


def _kinds(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)
