"""What a setting or an operator's choice takes, by the JSON schema of its model: kinds, titles, bounds. What it is: `choices.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from bot.forms import PICKED, Kind, Option, Picked, options

SettingKind = Kind | Literal["list", "parts"]
"""As an Option's; a list of texts; or what has parts of its own, which only TOML can say."""


class Shape:
    """The JSON schema of a plugin's Settings, or its Config."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._options = {option.name: option for option in options(schema)} if schema else {}

    @property
    def names(self) -> tuple[str, ...]:
        """What there is, in order."""
        return tuple(self._options)

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

    def secret(self, name: str) -> bool:
        """Whether nobody is shown what it is."""
        return self._inner(name).get("format") == "password"

    def hides(self, name: str) -> bool:
        """Whether a secret may stand in it, however deep."""
        return self._hides(self.part(name), set())

    def _hides(self, part: Any, passed: set[str]) -> bool:
        match part:
            case {"format": "password"}:
                return True
            case {"$ref": str() as ref} if ref not in passed:
                passed.add(ref)
                return self._hides(self._schema.get("$defs", {}).get(ref.rpartition("/")[2]), passed)
            case Mapping():
                return any(self._hides(one, passed) for one in part.values())
            case list():
                return any(self._hides(one, passed) for one in part)
        return False

    def below(self, name: str) -> Shape | None:
        """What stands in a table of this name, None for what is none."""
        inner = self._inner(name)
        return Shape({**inner, "$defs": self._schema.get("$defs", {})}) if "properties" in inner else None

    def each(self, name: str) -> Shape | None:
        """Where people choose the names in a table themselves: one value, as `each`. None for what is none."""
        inner = self._inner(name)
        patterns = inner.get("patternProperties", {"": inner.get("additionalProperties")})
        part = next(iter(patterns.values()))
        return Shape({"properties": {"each": part}, "$defs": self._schema.get("$defs", {})}) if isinstance(part, Mapping) else None

    def picks(self, name: str) -> Picked | None:
        """What people pick for it, if they do."""
        kind = self._options[name].kind
        return cast("Picked", kind) if kind in PICKED else None

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
