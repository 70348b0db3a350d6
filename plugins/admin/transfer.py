"""Settings as TOML, to take home and to bring along. Whose they are: `forms.py`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from bot import BadArguments, Button, Change, Form, Option, Where, tr

LARGEST = 100_000
"""Bytes of a file of settings."""


class Text(BaseModel):
    """TOML, and for what: keys are settings of `plugin`, which stood as `seen` when it was asked for, or tables are plugins."""

    model_config = ConfigDict(frozen=True)

    plugin: str = ""
    where: Where = "server"
    seen: str = ""
    text: str = Field(default="", max_length=LARGEST)


def button(about: Mapping[str, Any]) -> Button:
    """Asks for the text."""
    what = Option("text", tr("The settings as TOML, as the export has them."), required=True, most=4000)
    return Button(tr("Import"), "import", about, form=Form(tr("Import settings"), (what,)))


def written(plugin: str, chosen: Mapping[str, Any]) -> bytes:
    """What is chosen for a plugin, as a table of its name; TOML has no word for nothing."""
    return tomli_w.dumps({plugin: {name: value for name, value in chosen.items() if value is not None}}, multiline_strings=True).encode()


def changes(given: Text) -> list[Change]:
    """What the text changes. Raises BadArguments naming the line where it is no TOML."""
    try:
        document = tomllib.loads(given.text.strip().removeprefix("```toml").strip("`"))
    except tomllib.TOMLDecodeError as error:
        raise BadArguments(tr("This is not TOML: {fault}.", fault=error)) from None
    tables = {name: table for name, table in document.items() if isinstance(table, dict)}
    loose = {name: value for name, value in document.items() if name not in tables}
    if loose and not given.plugin:
        raise BadArguments(tr("Which plugin is that for? Put `[its name]` above the settings."))
    if given.plugin:
        tables = {given.plugin: {**tables.get(given.plugin, {}), **loose}}
    if not any(tables.values()):
        raise BadArguments(tr("There are no settings in it."))
    seen = {given.plugin: given.seen}
    return [Change(plugin=name, where=given.where, settings=table, seen=seen.get(name, "")) for name, table in tables.items() if table]
