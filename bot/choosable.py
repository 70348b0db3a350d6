"""What a plugin lets be chosen: by the operator, its Config, and by servers, its Settings. What servers chose: `bot/store/servers.py`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.config import Config, PluginTable
from bot.connector import DefaultOn
from bot.discovery import Found
from bot.errors import ConfigError, PluginError
from bot.faults import Location, unknown


class NoConfig(BaseModel):
    """For plugins without a `config.py`: the operator has nothing to choose."""

    model_config = ConfigDict(extra="forbid")


class NoSettings(BaseModel):
    """For plugins without a `settings.py`: a server has nothing to choose."""

    model_config = ConfigDict(extra="forbid")


def config_of(config: Config, name: str, found: Found) -> BaseModel:
    """The plugin's own choices; what is wrong with them is named by file and line."""
    model = found.model("config", "Config", NoConfig)
    try:
        return model.model_validate(config.plugins[name].options)
    except ValidationError as error:
        raise ConfigError(*config.source.faults(error, model, ("plugins", name))) from error


def among(settings: type[BaseModel], name: str, config: BaseModel) -> tuple[str, ...]:
    """What a setting is one of, where it says `json_schema_extra={"among": "models"}`: that field of its plugin's Config. Else ()."""
    extra = settings.model_fields[name].json_schema_extra
    source = extra.get("among") if isinstance(extra, dict) else None
    return tuple(getattr(config, str(source), ())) if source else ()


def titled(model: type[BaseModel], name: str) -> str:
    """What people call a setting."""
    field = model.model_fields.get(name)
    return (field.title if field is not None else None) or name.replace("_", " ").capitalize()


def settings_of(config: Config, name: str, found: Found, table: PluginTable) -> type[BaseModel]:
    """What servers may choose. Every setting has a default, the operator's defaults fit, and what is locked exists."""
    settings = found.model("settings", "Settings", NoSettings)
    if lacking := [key for key, info in settings.model_fields.items() if info.is_required()]:
        raise PluginError(name, f"settings.py: expected a default for every setting, found none for {', '.join(lacking)}")
    at: Location = ("plugins", name)
    known = settings.model_fields
    faults = [config.source.fault((*at, "defaults", key), unknown(key, known)) for key in table.defaults if key not in known]
    faults += [config.source.fault((*at, "locked"), f"{key!r}: {unknown(key, known)}") for key in sorted(table.locked) if key not in known]
    try:
        settings.model_validate({key: value for key, value in table.defaults.items() if key in settings.model_fields})
    except ValidationError as error:
        faults += config.source.faults(error, settings, (*at, "defaults"))
    if faults:
        raise ConfigError(*faults)
    return settings


@cache
def defaults_on(settings: type[BaseModel], platform: str) -> Mapping[str, Any]:
    """What settings are by default on a platform alone."""
    marks = [(name, mark) for name, field in settings.model_fields.items() for mark in field.metadata if isinstance(mark, DefaultOn)]
    return {name: mark.value for name, mark in marks if mark.platform == platform}
