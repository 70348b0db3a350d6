"""What a setting is, by the JSON schema of its plugin's Settings: kinds, titles, what people may say. What it is here: `choices.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.forms import Kind, Option, options

SettingKind = Kind | Literal["list", "parts"]
"""As an Option's; a list of texts; or what has parts of its own, which only TOML can say."""


class Shape:
    """The JSON schema of a plugin's Settings."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._options = {option.name: option for option in options(schema)} if schema else {}

    def option(self, name: str) -> Option:
        """What a command or a form would take for it."""
        return self._options[name]

    def title(self, name: str) -> str:
        """What people call a setting."""
        return str(self.part(name).get("title") or name)

    def description(self, name: str) -> str:
        """What it is."""
        return str(self.part(name).get("description") or "")

    def kind(self, name: str) -> SettingKind:
        """What it takes."""
        match self._type(name):
            case "array" if self._inner(name).get("items", {}).get("type", "string") == "string":
                return "list"
            case "array" | "object":
                return "parts"
            case _:
                return self._options[name].kind

    def editable(self, name: str) -> bool:
        """Whether people can say what it is to be; what has a structure of its own is imported."""
        return self.kind(name) != "parts"

    def part(self, name: str) -> Mapping[str, Any]:
        """The schema of a setting."""
        found: Mapping[str, Any] = self._schema.get("properties", {}).get(name, {})
        return found

    def _type(self, name: str) -> str:
        return str(self._inner(name).get("type", "string" if "enum" in self._inner(name) else "object"))

    def _inner(self, name: str) -> Mapping[str, Any]:
        """A field's schema without what stands between: a reference, or "or nothing"."""
        part = self.part(name)
        kinds = [one for one in part.get("anyOf", [part]) if one.get("type") != "null"]
        inner: Mapping[str, Any] = kinds[0] if kinds else {}
        return self._schema["$defs"][inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner
