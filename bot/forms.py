"""What people may press, choose and fill in below a reply: Button, Select, Form. Who hears of it: an Action, in `routes.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from pydantic import BaseModel

from bot.translation import translated

Picked = Literal["channel", "role", "person", "mentionable"]
"""What people pick of a server; who is mentionable is a role or a person. A channel is picked by its `Address.place`, roles and people by
their ids, and who is mentionable as grants name them: `role:ID`, `person:ID`.
"""

Kind = Literal["text", "integer", "number", "boolean"] | Picked

PICKED: frozenset[str] = frozenset(get_args(Picked))

KINDS: Mapping[str, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}

MOST_INPUTS = 5
"""Inputs of a form [Discord: modals]."""

MOST_CHOICES = 25
"""Choices of a menu [Discord: select menus]."""


@dataclass(frozen=True, slots=True)
class Option:
    """What a command or a form takes. `least` and `most` bound a number, or the length of a text; `descriptions` are by language tag.

    With `completes` the platform asks what may be meant while somebody types it. `labels` are what people see in the place of choices.
    A field that says `json_schema_extra={"picks": "channel"}`, or another of `Picked`, is one that people pick of their server; a list is
    typed all the same.
    """

    name: str
    description: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[str | int | float, ...] = ()
    least: float | None = None
    most: float | None = None
    descriptions: Mapping[str, str] = field(default_factory=dict)
    completes: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: `label` is what people see, `value` what the handler is given; `chosen` says that it is so already."""

    label: str
    value: str
    description: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A few inputs that are filled in at once; `values` are what stands in them at first, by name. Raises ValueError for more than five."""

    title: str
    inputs: tuple[Option, ...]
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(self.inputs) <= MOST_INPUTS:
            raise ValueError(f"a form has 1 to {MOST_INPUTS} inputs, and {self.title!r} has {len(self.inputs)}: make several of it")

    @classmethod
    def of(cls, title: str, model: type[BaseModel], values: Mapping[str, Any] | None = None, only: Sequence[str] = ()) -> Form:
        """The fields of a pydantic model as inputs for the reader, or `only` those of these names, in this order."""
        found = {option.name: replace(option, description=translated(option.description)) for option in options(model)}
        return cls(title, tuple(found[name] for name in only or found), values or {})


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a reply; a click runs the sender plugin's Action of this name with the payload.

    With a `form` the click opens that first, and what is filled in goes over the payload, by name; an input that is left empty takes
    its name out of the payload, so that the default of the Action's model holds.
    """

    label: str
    action: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """A menu under a reply; who chooses runs the plugin's Action of this name, with the choice as `name` in the payload.

    That is one value, or a list where `most` is more than 1. Where a platform has no menus each choice is a button; one that is
    pressed is then chosen, or no longer. Raises ValueError for more than 25 choices.
    """

    action: str
    name: str
    choices: tuple[Choice, ...]
    payload: Mapping[str, Any] = field(default_factory=dict)
    placeholder: str = ""
    least: int = 1
    most: int = 1

    def __post_init__(self) -> None:
        if not 1 <= len(self.choices) <= MOST_CHOICES:
            raise ValueError(f"a menu has 1 to {MOST_CHOICES} choices, and that of {self.action!r} has {len(self.choices)}")


def options(model: type[BaseModel] | Mapping[str, Any]) -> list[Option]:
    """The fields of a pydantic model, or of its JSON schema, in their order."""
    schema = model if isinstance(model, Mapping) else model.model_json_schema()
    required = schema.get("required", [])
    found: Mapping[str, Any] = schema.get("properties", {})
    return [_option(name, _plain(part, schema), name in required) for name, part in found.items()]


def _plain(part: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A field's schema without what stands between: a reference to an enumeration, or "or None"."""
    kinds = [one for one in part.get("anyOf", [part]) if one.get("type") != "null"]
    inner = kinds[0] if kinds else {}
    if "$ref" in inner:
        inner = schema["$defs"][inner["$ref"].rpartition("/")[2]]
    words = ("description", "title")  # of the field, not of the enumeration
    beside = {key: part[key] for key in (*words, "picks") if key in part}
    return {key: value for key, value in inner.items() if key not in words} | beside


def _option(name: str, part: Mapping[str, Any], required: bool) -> Option:
    picks, takes = part.get("picks"), part.get("type", "string")
    kind = picks if picks in PICKED and takes in KINDS else KINDS.get(takes, "text")
    number = kind in ("integer", "number")
    return Option(
        name=name,
        description=part.get("description") or part.get("title") or name,
        kind=kind,
        required=required,
        choices=tuple(part.get("enum", [part["const"]] if "const" in part else [])),
        least=part.get("minimum") if number else part.get("minLength"),
        most=part.get("maximum") if number else part.get("maxLength"),
    )
