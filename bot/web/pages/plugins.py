"""The operator's view of the plugins: what each is and brings, how it fares, where it is on, and its configuration, which can be changed.

What a form is made of: `bot/web/configuring.py`. Switching a plugin for one server: `server.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from nicegui import ui
from pydantic import BaseModel, Field, SecretStr
from pydantic.errors import PydanticUserError
from starlette.requests import Request

from bot import catalogue
from bot.calls import Calls
from bot.config import Config
from bot.editing import Draft
from bot.errors import BadArguments, Unavailable
from bot.log import Redaction, secrets_of
from bot.plugins import Loaded
from bot.store.servers import Server
from bot.store.troubles import Trouble
from bot.translation import tr, translated
from bot.web.configuring import Blank, Entry, words
from bot.web.desk import Desk, Link, Nothing, desk
from bot.web.setup import Beginning
from bot.web.site import Site, Works
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

MOST_SERVERS = 2000

log = structlog.get_logger(__name__)


class PluginsView(View, component="../static/plugins.js"):
    """The plugins in the browser."""


class Retrying(BaseModel):
    """The operator wants a plugin tried again."""

    plugin: str = Field(max_length=100)
    nonce: str = ""


class Asking(BaseModel):
    """The operator wants the form of a plugin's configuration, or has what it showed written."""

    plugin: str = Field(max_length=100)
    nonce: str = ""


class Filling(Asking):
    """The operator has filled it in, and wants to see what would change."""

    entries: list[Entry] = Field(max_length=500)


@dataclass(frozen=True, slots=True)
class Drafted:
    """What was shown last: a change of this plugin's table, with every text in it."""

    plugin: str
    draft: Draft
    words: frozenset[str]


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


class ConfigForms:
    """The forms on one tab of it."""

    def __init__(self, made: Desk, plugins: Mapping[str, Loaded], config: Config, beginning: Beginning) -> None:
        self._view = made.view
        self._plugins = plugins
        self._config = config
        self._beginning = beginning
        self._drafted: Drafted | None = None
        made.hear("form", Asking, self.form)
        made.hear("fill", Filling, self.fill)
        made.hear("keep", Asking, self.keep)

    async def form(self, given: Asking) -> None:
        """What stands in the file now, to be changed."""
        rows = await asyncio.to_thread(lambda: self._blank(given.plugin, self._draft()).rows())
        self._view.take("form", plugin=given.plugin, rows=rows)

    async def fill(self, given: Filling) -> None:
        """Shows what would change; nothing is written."""
        draft = await asyncio.to_thread(self._filled, given)
        self._drafted = Drafted(given.plugin, draft, frozenset(words(given.entries)))
        hide = Redaction(secrets_of(self._config, self._plugins[given.plugin].config))
        self._view.take("draft", plugin=given.plugin, text=hide(draft.shown()) if draft.changed else "")

    async def keep(self, given: Asking) -> None:
        """Writes what was shown. Where somebody starts everything anew, that is asked for at once, and models that it names are brought."""
        drafted, self._drafted = self._drafted, None
        if drafted is None or drafted.plugin != given.plugin:
            raise BadArguments(tr("This page is out of step with Hobnob: load it anew."))
        await self._beginning.write(drafted.draft)
        log.info("the configuration of a plugin was changed", plugin=given.plugin)
        again = self._beginning.again
        self._view.take("written", plugin=given.plugin, again=again is not None)
        if again is not None:
            known = await asyncio.to_thread(catalogue.load, added=self._config.models_dir)
            again(sorted(drafted.words & known.models.keys()))

    def _draft(self) -> Draft:
        return Draft(self._config.source.path)

    def _filled(self, given: Filling) -> Draft:
        draft = self._draft()
        self._blank(given.plugin, draft).fill(given.entries)
        return draft

    def _blank(self, name: str, draft: Draft) -> Blank:
        if name not in self._plugins:
            raise BadArguments(tr("There is no such plugin."))
        try:
            return Blank(self._plugins[name], draft, self._config.source.environ)
        except PydanticUserError as error:  # a type that no schema can describe
            raise Unavailable(tr("The configuration of {plugin} has no form: change it in bot.toml.", plugin=name)) from error


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
    """One plugin, as plain data."""
    return {
        "name": loaded.name,
        "summary": translated(loaded.manifest.summary),
        "licence": loaded.manifest.licence,
        "version": loaded.version[:12],
        "enabled": loaded.enabled,
        "switchable": not loaded.fixed,
        "rights": sorted(loaded.manifest.rights),
        "form": bool(type(loaded.config).model_fields) or "administration" not in loaded.manifest.rights,
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


def plugins_page(site: Site, works: Works, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the page below the operator's door."""

    @ui.page(f"{OPERATOR}/plugins")
    async def show(request: Request) -> None:
        made = desk(PluginsView(), visitors, request, "operator", links)
        made.view.props["fixed"] = site.beginning is None
        PluginsPage(made, works, site.plugins, site.calls)
        if site.beginning is not None:
            ConfigForms(made, site.plugins, site.config, site.beginning)
