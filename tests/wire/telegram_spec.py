"""Holds what went over the wire against the published description of the Bot API, where that is at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.wire.telegram_rules import Json
from tests.wire.telegram_server import Telegram

SPEC = Path(__file__).parents[3] / "shared/specs/telegram-bot-api.json"

PLAIN: dict[str, type | tuple[type, ...]] = {"Integer": int, "Float": (int, float), "String": str, "Boolean": bool}
FILE = "InputFile"
INNER = frozenset({"silent"})
"""What the platform of the tests notes on a message for itself."""


@cache
def spec() -> Json:
    """The description; empty where it is not at hand."""
    return json.loads(SPEC.read_text(encoding="utf-8")) if SPEC.is_file() else {}


def faults(telegram: Telegram) -> list[str]:
    """What the published description does not allow, of all that was asked, answered and told."""
    if not spec():
        return []
    found = [fault for update in telegram.told for fault in _object("Update", update, f"update {update['update_id']}")]
    for call in telegram.calls:
        method = spec()["methods"].get(call.method)
        if method is None:
            found.append(f"there is no method {call.method}")
        elif not isinstance(call.result, str) or call.result.startswith("Too Many"):
            found += _fields(method.get("fields", []), call.params, call.method)
            if not isinstance(call.result, str) and call.method != "getUpdates":  # these are in `told`
                found += _value(method["returns"], call.result, f"{call.method} gives")
    return found


def _object(name: str, value: Any, where: str) -> Iterator[str]:
    description = spec()["types"][name]
    if "subtypes" in description:
        kinds = [list(_object(one, value, f"{where} as {one}")) for one in description["subtypes"]]
        yield from min(kinds, key=len)
    elif not isinstance(value, dict):
        yield f"{where}: expected {name}, found {value!r}"
    else:
        yield from _fields(description.get("fields", []), value, where)


def _fields(fields: list[Json], value: Json, where: str) -> Iterator[str]:
    known = {field["name"]: field for field in fields}
    needed = [field["name"] for field in fields if field["required"] and FILE not in field["types"]]  # files travel beside all else
    yield from (f"{where}: has no field {name}" for name in value if name not in known and name not in INNER)
    yield from (f"{where}: lacks {name}" for name in needed if value.get(name) is None)
    for name, given in value.items():
        if name in known and given is not None:
            yield from _value(known[name]["types"], given, f"{where}.{name}")


def _value(types: list[str], value: Any, where: str) -> list[str]:
    return min((_typed(one, value, where) for one in types), key=len)


def _typed(kind: str, value: Any, where: str) -> list[str]:
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{where}: expected a list, found {value!r}"]
        return [fault for one in value for fault in _value([kind.removeprefix("Array of ")], one, where)]
    if kind == FILE or (kind in PLAIN and isinstance(value, PLAIN[kind])):
        return []
    return [f"{where}: expected {kind}, found {value!r}"] if kind in PLAIN else list(_object(kind, value, where))
