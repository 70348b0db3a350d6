"""A plugin's table in bot.toml as a form: what may stand there, by its pydantic model, and a draft of what was filled in.

Who may fill it in: `pages/plugins.py`. How a draft becomes a file: `bot/editing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from dotenv import dotenv_values
from pydantic import BaseModel, Field

from bot.config import PluginTable
from bot.editing import Draft
from bot.errors import BadArguments
from bot.faults import Location, variable
from bot.plugins import Loaded
from bot.shapes import Shape
from bot.translation import later, tr, translated

SWITCHES = {
    "enabled": later("Whether it is on where nobody has switched it."),
    "switchable": later("Whether servers may switch it on and off."),
}
"""What of every plugin's table is in the form, before what is the plugin's own."""

Text = Annotated[str, Field(max_length=20_000)]

Plain = bool | int | float | Text

Value = Plain | Annotated[list[Text], Field(max_length=1000)] | Annotated[dict[str, Plain], Field(max_length=1000)] | None


class Entry(BaseModel):
    """What was filled in at a place below the plugin's table; None takes it out, so that what it is by itself holds again."""

    at: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(min_length=1, max_length=8)
    value: Value


class Blank:
    """The form of one plugin, as its file and the environment are now."""

    def __init__(self, plugin: Loaded, draft: Draft, environ: Mapping[str, str]) -> None:
        self._at: Location = ("plugins", plugin.name)
        self._draft = draft
        own = type(plugin.config).model_json_schema()
        switches = PluginTable.model_json_schema()["properties"]
        theirs = {} if "administration" in plugin.manifest.rights else SWITCHES
        common = {name: {**switches[name], "description": about} for name, about in theirs.items()}
        self._shape = Shape({**own, "properties": {**common, **own.get("properties", {})}})
        self._hidden = dotenv_values(draft.secrets, interpolate=False)
        self._environ = environ

    def rows(self) -> list[dict[str, Any]]:
        """Its fields as plain data, with what holds; of a secret only whether it is set."""
        return self._rows(self._shape, self._draft.found(self._at) or {}, self._at)

    def _rows(self, shape: Shape, table: Mapping[str, Any], at: Location) -> list[dict[str, Any]]:
        return [self._row(shape, name, table, (*at, name)) for name in shape.names]

    def _row(self, shape: Shape, name: str, table: Mapping[str, Any], at: Location) -> dict[str, Any]:
        kind, named = _kind(shape, name), variable(at)
        row = {"at": list(at[2:]), "name": name, "about": translated(shape.description(name)), "kind": kind, "set": name in table}
        if kind == "table":
            return row | {"fields": self._rows(_some(shape.below(name)), table.get(name, {}), at)}
        if kind == "tables":
            each = _some(_some(shape.each(name)).below("each"))
            entries = [{"name": key, "fields": self._rows(each, inner, (*at, key))} for key, inner in table.get(name, {}).items()]
            return row | {"entries": entries, "blank": self._rows(each, {}, (*at, ""))}
        fixed = named if named in self._environ and named not in self._hidden else ""
        if kind in ("secret", "hidden"):
            return row | {"set": name in table or named in self._environ or named in self._hidden, "fixed": fixed}
        option, begins = shape.option(name), shape.part(name).get("default")
        value = self._environ.get(named, table.get(name, begins)) if fixed else table.get(name, begins)
        return row | {
            "value": value,
            "begins": begins,
            "choices": option.choices,
            "least": option.least,
            "most": option.most,
            "fixed": fixed,
        }

    def fill(self, entries: Sequence[Entry]) -> None:
        """Into the draft. Raises ConfigError for what cannot be written, BadArguments for a place that the form does not have."""
        for entry in entries:
            self._put(self._shape, self._at, entry.at, entry.value)

    def _put(self, shape: Shape, at: Location, way: Sequence[str], value: Value) -> None:
        name, *further = way
        if name not in shape.names:
            raise BadArguments(tr("This page is out of step with Hobnob: load it anew."))
        kind, here = _kind(shape, name), (*at, name)
        if kind == "table" and further:
            self._put(_some(shape.below(name)), here, further, value)
        elif kind == "tables" and further[1:]:
            self._put(_some(_some(shape.each(name)).below("each")), (*here, further[0]), further[1:], value)
        elif kind == "tables" and further and not value:
            self._draft.drop((*here, *further)) if value is None else self._draft.table((*here, *further))
        elif kind in ("table", "tables", "parts", "hidden") or further:
            raise BadArguments(tr("This page is out of step with Hobnob: load it anew."))
        else:
            self._set(kind, here, value)

    def _set(self, kind: str, at: Location, value: Value) -> None:
        if kind == "secret" and (value is not None or variable(at) in self._hidden):
            self._draft.secret(variable(at), str(value or ""))
        elif value is None:
            self._draft.drop(at)
        elif isinstance(value, dict):
            for name in (self._draft.found(at) or {}).keys() - value.keys():
                self._draft.drop((*at, name))
            for name, one in value.items():
                self._draft.set((*at, name), one)
        else:
            self._draft.set(at, value)


def _kind(shape: Shape, name: str) -> str:
    """As a setting's, or: `secret`, `table`, `tables` whose names people choose, `pairs` of a name and a value; `hidden` has parts of
    its own, or pairs, or is a list, and there may be secrets among them.
    """
    if shape.secret(name):
        return "secret"
    kind = _open(shape, name)
    return "hidden" if kind not in ("table", "tables") and shape.hides(name) else kind


def _open(shape: Shape, name: str) -> str:
    """The same, of what is no secret."""
    if len([one for one in shape.part(name).get("anyOf", []) if one.get("type") != "null"]) > 1:
        return "parts"
    if shape.below(name) is not None:
        return "table"
    if (each := shape.each(name)) is None:
        return shape.kind(name)
    if _open(each, "each") == "table":
        return "tables"
    return "pairs" if each.kind("each") in ("text", "integer", "number", "boolean") else "parts"


def _some(shape: Shape | None) -> Shape:
    assert shape is not None
    return shape


def words(entries: Sequence[Entry]) -> Iterator[str]:
    """Every text in them, among which may be the names of models."""
    for entry in entries:
        match entry.value:
            case str():
                yield entry.value
            case list():
                yield from entry.value
