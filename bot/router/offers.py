"""Commands as platforms list them, made from the args models. Where which of them are listed: `publishing.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel

from bot.connector import Offer, Option
from bot.routes import Command

Kind = Literal["text", "integer", "number", "boolean"]

KINDS: Mapping[str, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}


def offer(command: Command) -> Offer:
    """The command with its options, those that have to be given first."""
    options = sorted(_options(command.args), key=lambda option: not option.required)
    return Offer(command.name, command.description, tuple(options), command.menu, command.descriptions)


def _options(model: type[BaseModel]) -> list[Option]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    found: Mapping[str, Any] = schema.get("properties", {})
    return [_option(name, _plain(part, schema), name in required) for name, part in found.items()]


def _plain(part: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A field's schema without what stands between: a reference to an enumeration, or "or None"."""
    kinds = [one for one in part.get("anyOf", [part]) if one.get("type") != "null"]
    inner = kinds[0] if kinds else {}
    if "$ref" in inner:
        inner = schema["$defs"][inner["$ref"].rpartition("/")[2]]
    words = ("description", "title", "descriptions")  # of the field, not of the enumeration
    return {key: value for key, value in inner.items() if key not in words} | {key: part[key] for key in words if key in part}


def _option(name: str, part: Mapping[str, Any], required: bool) -> Option:
    kind = KINDS.get(part.get("type", "string"), "text")
    number = kind in ("integer", "number")
    return Option(
        name=name,
        description=part.get("description") or part.get("title") or name,
        kind=kind,
        required=required,
        choices=tuple(part.get("enum", [part["const"]] if "const" in part else [])),
        least=part.get("minimum") if number else part.get("minLength"),
        most=part.get("maximum") if number else part.get("maxLength"),
        descriptions=part.get("descriptions", {}),
    )
