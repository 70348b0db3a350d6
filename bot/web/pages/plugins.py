"""The operator's view of the plugins: what each is and brings, and its configuration. Where each is on: `servers.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui
from pydantic import BaseModel, SecretStr
from starlette.requests import Request

from bot.plugins import Loaded
from bot.translation import tr, translated
from bot.web.desk import Link, Nothing, desk
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors


class PluginsView(View, component="../static/plugins.js"):
    """The plugins in the browser."""


def shown(loaded: Loaded) -> dict[str, Any]:
    """One plugin, as plain data; a secret in its configuration is only said to be set."""
    return {
        "name": loaded.name,
        "summary": translated(loaded.manifest.summary),
        "licence": loaded.manifest.licence,
        "version": loaded.version[:12],
        "enabled": loaded.enabled,
        "switchable": not loaded.fixed,
        "rights": sorted(loaded.manifest.rights),
        "config": [{"name": name, "value": _value(value), "about": _about(loaded.config, name)} for name, value in loaded.config],
        "settings": [
            {
                "name": translated(field.title or name),
                "about": translated(field.description or ""),
                "begins": _value(loaded.defaults.get(name, field.get_default(call_default_factory=True, validated_data={}))),
                "locked": name in loaded.locked,
            }
            for name, field in loaded.settings.model_fields.items()
        ],
    }


def _value(value: object) -> Any:
    if isinstance(value, SecretStr):
        return tr("set, and not shown") if value.get_secret_value() else tr("not set")
    if isinstance(value, BaseModel):
        return {name: _value(inner) for name, inner in value}
    if isinstance(value, Mapping):
        return {str(name): _value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _about(config: BaseModel, name: str) -> str:
    field = type(config).model_fields.get(name)
    return field.description or "" if field is not None else ""


def plugins_page(plugins: Mapping[str, Loaded], visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""

    @ui.page(f"{OPERATOR}/plugins")
    async def show(request: Request) -> None:
        made = desk(PluginsView(), visitors, request, "operator", links)

        async def tell(_: Nothing) -> None:
            made.view.take("seen", seen={"plugins": [shown(one) for one in plugins.values()]})

        made.hear("hello", Nothing, tell)
