"""Turns what a person typed after a command into the command's args model. Native options skip the parsing, not the validation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.errors import BadArguments

OPTION = re.compile(r"""(?:^|(?<=\s))(?P<mark>--|—)(?P<name>[\w-]+)(?:[\s=]+(?P<value>"[^"]*"|“[^”]*”|(?!--|—)\S+))?""")
"""Phones replace two hyphens by one long dash and straight quotes by curly ones."""


DASH = "—"
SPACES = re.compile(r"[ \t]{2,}")


def parse(model: type[BaseModel], rest: str) -> dict[str, Any]:
    """Options `--name value` (a flag alone is true); the words that remain fill the first field.

    Raises BadArguments naming the field.
    """
    given: dict[str, Any] = {}
    words, end = "", 0
    for option in OPTION.finditer(rest):
        name = option["name"].replace("-", "_")
        if name not in model.model_fields:
            if option["mark"] == DASH:  # prose
                continue
            raise BadArguments(f"There is no option --{option['name']}. {usage(model)}")
        given[name] = (option["value"] or "true").strip('"“”')
        words, end = words + rest[end : option.start()], option.end()
    words = SPACES.sub(" ", words + rest[end:]).strip() if given else rest.strip()
    first = next((name for name in model.model_fields if name not in given), None)
    if words and first is None:
        raise BadArguments(f"“{shorten(words)}” is too much. {usage(model)}")
    if words and first is not None:
        given[first] = words
    return given


def validate(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as JSON values, defaults filled in. Raises BadArguments naming every field that is wrong."""
    try:
        return model.model_validate(dict(given)).model_dump(mode="json")
    except ValidationError as error:
        faults = "; ".join(_fault(model, fault["loc"], fault["msg"]) for fault in error.errors())
        raise BadArguments(f"{faults}. {usage(model)}") from None


def missing(model: type[BaseModel], given: Mapping[str, Any]) -> str | None:
    """The one required field that is all that is missing; None where more is wrong."""
    try:
        model.model_validate(dict(given))
    except ValidationError as error:
        match error.errors():
            case [{"type": "missing", "loc": (str() as name,)}]:
                return name
    return None


def usage(model: type[BaseModel]) -> str:
    """One line that says which arguments there are."""
    names = [f"<{name}>" if field.is_required() else f"[--{name.replace('_', '-')}]" for name, field in model.model_fields.items()]
    return f"Expected: {' '.join(names)}" if names else "It takes no arguments."


def shorten(text: str, most: int = 40) -> str:
    """The beginning of a text, for quoting it in an error."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _fault(model: type[BaseModel], where: tuple[int | str, ...], what: str) -> str:
    name = str(where[0]) if where else "arguments"
    return f"{name}: {what[:1].lower()}{what[1:]}"
