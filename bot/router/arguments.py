"""Turns what a person typed after a command into the command's args model. Native options skip the parsing, not the validation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.connector import asked_for, typed_command
from bot.errors import BadArguments
from bot.forms import options
from bot.locales import ENGLISH
from bot.messages import Message, Text
from bot.translation import later, reading, tr, translated

OPTION = re.compile(r"""(?:^|(?<=\s))(?P<mark>--|—)(?P<name>[\w-]+)(?:[\s=]+(?P<value>"[^"]*"|“[^”]*”|(?!--|—)\S+))?""")
"""Phones replace two hyphens by one long dash and straight quotes by curly ones."""


DASH = "—"
SPACES = re.compile(r"[ \t]{2,}")

FAULTS = {
    "missing": later("field required"),
    "int_parsing": later("input should be a valid integer, unable to parse string as an integer"),
    "int_type": later("input should be a valid integer"),
    "int_from_float": later("input should be a valid integer, got a number with a fractional part"),
    "float_parsing": later("input should be a valid number, unable to parse string as a number"),
    "float_type": later("input should be a valid number"),
    "bool_parsing": later("input should be a valid boolean, unable to interpret input"),
    "string_type": later("input should be a valid string"),
    "string_too_long": later("string should have at most {max_length} characters"),
    "string_too_short": later("string should have at least {min_length} characters"),
    "greater_than": later("input should be greater than {gt}"),
    "greater_than_equal": later("input should be greater than or equal to {ge}"),
    "less_than": later("input should be less than {lt}"),
    "less_than_equal": later("input should be less than or equal to {le}"),
    "literal_error": later("input should be {expected}"),
    "enum": later("input should be {expected}"),
}
"""Pydantic's words for what is wrong with a value, by its kinds of error; rarer ones stay English."""


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
            raise BadArguments(f"{tr('There is no option --{name}.', name=option['name'])} {usage(model)}")
        given[name] = _unquoted(option["value"] or "true")
        words, end = words + rest[end : option.start()], option.end()
    words = SPACES.sub(" ", words + rest[end:]).strip() if given else rest.strip()
    first = next((name for name in model.model_fields if name not in given), None)
    if words and first is None:
        raise BadArguments(f"{tr('“{words}” is too much.', words=shorten(words))} {usage(model)}")
    if words and first is not None:
        given[first] = words
    return given


def quoted(model: type[BaseModel], given: Mapping[str, Any], message: Message) -> dict[str, Any]:
    """What was given; a field with `json_schema_extra={"quotes": True}` that lacks is what the message says that this one replies to.

    Not where that is more than words, which say something of the rest, a command, or the bot's own question for what lacks.
    """
    parts = message.reply_to.parts if message.reply_to is not None else ()
    words = "\n".join(part.text for part in parts if isinstance(part, Text)).strip()
    if not words or not all(isinstance(part, Text) for part in parts) or asked_for(words) or typed_command(words):
        return dict(given)
    return {**dict.fromkeys(_quoting(model), words), **given}


@cache
def _quoting(model: type[BaseModel]) -> tuple[str, ...]:
    fields = model.model_fields.items()
    return tuple(name for name, field in fields if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("quotes"))


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] + value[1:][-1:] in ('""', "“”") else value


def validate(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as JSON values, defaults filled in. Raises BadArguments naming every field that is wrong."""
    try:
        return model.model_validate(_meant(model, given)).model_dump(mode="json")
    except ValidationError as error:
        faults = "; ".join(_fault(fault) for fault in error.errors())
        raise BadArguments(f"{faults}. {usage(model)}") from None


def missing(model: type[BaseModel], given: Mapping[str, Any]) -> str | None:
    """The first required field that is missing, where nothing else is wrong."""
    try:
        model.model_validate(_meant(model, given))
    except ValidationError as error:
        faults = error.errors()
        if all(fault["type"] == "missing" and len(fault["loc"]) == 1 for fault in faults):
            return str(faults[0]["loc"][0])
    return None


def _meant(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as the choices that it means: numbers come as words, and phones begin them with a capital."""
    choices = _choices(model)
    return {name: choices.get(name, {}).get(value.casefold(), value) if isinstance(value, str) else value for name, value in given.items()}


@cache
def _choices(model: type[BaseModel]) -> Mapping[str, Mapping[str, str | int | float]]:
    """The choices of each field, by how they are typed."""
    return {one.name: {str(choice).casefold(): choice for choice in one.choices} for one in options(model) if one.choices}


def option(name: str, value: str) -> str:
    """An argument as `parse` reads it; within quotes there can be none of their own kind."""
    opening, closing = '""' if '"' not in value else "“”"
    return f"--{name.replace('_', '-')} {opening}{value.replace(closing, chr(39))}{closing}"


def usage(model: type[BaseModel]) -> str:
    """One line that says which arguments there are."""
    names = arguments(model)
    return tr("Expected: {arguments}", arguments=names) if names else tr("It takes no arguments.")


def arguments(model: type[BaseModel]) -> str:
    """The arguments, in their order; the first takes the words."""
    named = enumerate(model.model_fields.items())
    return " ".join(_argument(name, required=field.is_required(), first=not number) for number, (name, field) in named)


def _argument(name: str, *, required: bool, first: bool) -> str:
    if required:
        return f"<{name}>"
    return f"[{name}]" if first else f"[--{name.replace('_', '-')}]"


def shorten(text: str, most: int = 40) -> str:
    """The beginning of a text, for quoting it in an error."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _fault(fault: ErrorDetails) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else tr("arguments")
    return f"{name}: {wrong(fault)}"


def wrong(fault: ErrorDetails) -> str:
    """What pydantic finds wrong with a value, for the reader."""
    known = FAULTS.get(fault["type"])
    if known is not None and reading().tag != ENGLISH:
        return translated(known, **fault.get("ctx", {}))
    what = fault["msg"].removeprefix("Value error, ")
    return f"{what[:1].lower()}{what[1:]}"
