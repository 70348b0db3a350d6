"""The operator's view of the plugins: what each is and brings, how it fares, where it is on, its configuration. Switching: `servers.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui
from pydantic import BaseModel, Field, SecretStr
from starlette.requests import Request

from bot.calls import Calls
from bot.plugins import Loaded
from bot.store.servers import Server
from bot.store.troubles import Trouble
from bot.translation import tr, translated
from bot.web.desk import Desk, Link, Nothing, desk
from bot.web.site import Works
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

MOST_SERVERS = 2000


class PluginsView(View, component="../static/plugins.js"):
    """The plugins in the browser."""


class Retrying(BaseModel):
    """The operator wants a plugin tried again."""

    plugin: str = Field(max_length=100)
    nonce: str = ""


class PluginsPage:
    """One tab of it."""

    def __init__(self, made: Desk, works: Works, plugins: Mapping[str, Loaded], calls: Calls) -> None:
        self._made = made
        self._works = works
        self._plugins = plugins
        self._calls = calls
        made.hear("hello", Nothing, self.show)
        made.hear("retry", Retrying, self.retry)

    async def show(self, _: Nothing) -> None:
        """Hands all of it over."""
        troubles = await self._works.troubles.all()
        servers = list((await self._works.servers.chosen(MOST_SERVERS)).values())
        rows = [
            shown(one) | {"health": _health(self._calls, name), "trouble": _trouble(troubles.get(name)), "where": _where(servers, one)}
            for name, one in self._plugins.items()
        ]
        out = [{"name": name, "trouble": _trouble(one)} for name, one in troubles.items() if name not in self._plugins]
        self._made.view.take("seen", seen={"plugins": rows, "out": out, "servers": len(servers)})

    async def retry(self, given: Retrying) -> None:
        """One that rests is asked again at once by this router, one that was left out when a router starts."""
        self._calls.wake(given.plugin)
        await self._works.troubles.forget(given.plugin)
        await self.show(Nothing())


def _health(calls: Calls, name: str) -> dict[str, Any] | None:
    """How this router's calls of it went."""
    total = calls.totals.get(name)
    if total is None or not total.calls:
        return None
    return {"calls": total.calls, "faults": total.faults, "each": round(total.seconds / total.calls * 1000, 2)}


def _trouble(trouble: Trouble | None) -> dict[str, Any] | None:
    return None if trouble is None else {"what": str(trouble.what), "out": trouble.out}


def _where(servers: Sequence[Server], loaded: Loaded) -> dict[str, int]:
    """How many servers have chosen it on or off themselves."""
    chosen = [one.choices.plugins[loaded.name] for one in servers if loaded.name in one.choices.plugins]
    return {"on": sum(chosen), "off": len(chosen) - sum(chosen)}


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


def plugins_page(works: Works, plugins: Mapping[str, Loaded], calls: Calls, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""

    @ui.page(f"{OPERATOR}/plugins")
    async def show(request: Request) -> None:
        PluginsPage(desk(PluginsView(), visitors, request, "operator", links), works, plugins, calls)
