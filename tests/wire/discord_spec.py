"""Holds what went over the wire against the published description of Discord's API, where that is at hand."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.wire.discord_payloads import Json
from tests.wire.discord_server import Discord, Recorded

SPEC = Path(__file__).parents[3] / "shared/specs/discord-openapi.json"

ROOT = "urn:discord"


@cache
def spec() -> Json:
    """The description; empty where it is not at hand."""
    return json.loads(SPEC.read_text(encoding="utf-8")) if SPEC.is_file() else {}


@cache
def _registry() -> Registry[Any]:
    contents: Resource[Any] = Resource.from_contents(spec(), default_specification=DRAFT202012)
    found: Registry[Any] = Registry().with_resource(ROOT, contents)
    return found


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Fixed words before parameters: `@me` is no id."""
    paths = sorted(spec()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths]


def faults(discord: Discord) -> list[str]:
    """What the description does not allow, of all that was asked and answered."""
    return [fault for call in discord.record for fault in _call(call)] if spec() else []


def _call(call: Recorded) -> list[str]:
    path = next((path for pattern, path in _paths() if pattern.fullmatch(call.path)), None)
    operation = spec()["paths"].get(path, {}).get(call.method.lower()) if path else None
    if path is None or operation is None:
        return [f"there is no {call.method} {call.path}"]
    where = f"{call.method} {call.route}"
    found = []
    if call.body and call.status < 300:
        schema = f"#/paths/{_pointer(path)}/{call.method.lower()}/requestBody/content/application~1json/schema"
        found += _against(schema, _ids_as_text(call.body), where)
    answer = operation["responses"].get(str(call.status), {})
    if call.status < 300 and "application/json" in answer.get("content", {}):
        schema = f"#/paths/{_pointer(path)}/{call.method.lower()}/responses/{call.status}/content/application~1json/schema"
        found += _against(schema, call.answer, f"{where} gives")
    return found


def _ids_as_text(value: Any) -> Any:
    """discord.py writes some ids as numbers, which the API takes and its description does not mention."""
    match value:
        case dict():
            return {key: str(inner) if key == "id" else _ids_as_text(inner) for key, inner in value.items()}
        case list():
            return [_ids_as_text(inner) for inner in value]
        case int() if value > 1 << 53:
            return str(value)
    return value


def _pointer(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D").replace("@", "%40")


def _against(schema: str, value: Any, where: str) -> list[str]:
    validator = Draft202012Validator({"$ref": ROOT + schema}, registry=_registry())
    error = best_match(validator.iter_errors(value))
    return [] if error is None else [f"{where}: {error.json_path} {error.message[:300]}"]
