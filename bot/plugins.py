"""Loads plugins: manifest, config, one half, hooks; and calls their hooks one plugin at a time. Where they lie: `discovery.py`."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import psutil
import structlog
from pydantic import BaseModel

from bot.calls import ADMIT, Calls
from bot.catalogue import load as load_catalogue
from bot.choosable import NoConfig, NoSettings, config_of, defaults_on, settings_of
from bot.config import Config
from bot.declared import digest, faults_of, hooks_of
from bot.discovery import Found, Manifest, described, find
from bot.errors import BotError, ConfigError, PluginError
from bot.events import Event
from bot.locales import Locales
from bot.messages import Message
from bot.models import Model
from bot.routes import Refusal

Half = Literal["front", "model"]

MOST_FAILURES = 3
"""Exceptions of `admit` in a row after which a plugin is not asked for a while."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cost:
    """What importing a half and making its plugin took: `seconds`, and `memory` in bytes by which the process grew.

    What several plugins share counts for the first that brings it.
    """

    seconds: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """One plugin, ready to be called. `version` changes with its release and with what its routes and settings look like."""

    name: str
    plugin: object
    manifest: Manifest = field(default=Manifest(summary="", api=1, licence="none"))
    settings: type[BaseModel] = NoSettings
    version: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    config: BaseModel = field(default_factory=NoConfig)
    enabled: bool = True
    switchable: bool = True
    folder: Path | None = None
    """Where it lies, if that is on disk."""
    cost: Cost = Cost()

    @property
    def fixed(self) -> bool:
        """Whether servers cannot switch it: the operator does not let them, or they could not switch it on again."""
        return not self.switchable or "administration" in self.manifest.rights

    def begins(self, platform: str) -> dict[str, Any]:
        """The settings with which a server of a platform begins, where that is not the plainest default: the operator's word goes last."""
        return {**defaults_on(self.settings, platform), **self.defaults}


class Plugins:
    """The plugins of one process, and the languages that they and the core speak.

    `loaded` is in the order of the configuration; `out` are those that are left out, and why.
    """

    def __init__(
        self, loaded: Iterable[Loaded], half: Half = "front", *, calls: Calls | None = None, out: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Registers, verifies and collects. Raises PluginError, or ConfigError with all faults where there are several."""
        self._given = given = {one.name: one for one in loaded}
        self.calls = calls or Calls()
        self.out = out
        self._half: Half = half
        self._hooks, faults = hooks_of({name: one.plugin for name, one in given.items()}, half)
        self._items, more = self._collected()
        self.locales, unread = _locales(given.values())
        raise_all([*faults, *more, *faults_of(self._items), *unread])
        self.loaded = {name: self._versioned(one) for name, one in given.items()}

    def without(self, out: Mapping[str, str]) -> Plugins:
        """The others, in the same versions, where these are left out."""
        return Plugins((one for name, one in self._given.items() if name not in out), self._half, calls=self.calls, out=out)

    def _collected(self) -> tuple[dict[str, list[tuple[str, Any]]], list[BotError]]:
        items: dict[str, list[tuple[str, Any]]] = {}
        faults: list[BotError] = []
        for hook in (name for name in self._hooks if name.startswith("register_")):
            items[hook] = []
            for plugin, call in self._hooks[hook].items():
                began = time.perf_counter()
                try:
                    found = [(plugin, item) for item in call()]
                    items[hook] += found
                    self.calls.begin(plugin, hook, time.perf_counter() - began, [getattr(item, "name", item) for _, item in found])
                except Exception as error:  # a stranger's code
                    faults.append(PluginError(plugin, f"{hook}: {type(error).__name__}: {error}"))
        return items, faults

    def _versioned(self, one: Loaded) -> Loaded:
        routes = [item for plugin, item in self._items["register_routes"] if plugin == one.name]
        return replace(one, version=digest(one.version, one.settings, routes))

    def collect(self, hook: str) -> list[tuple[str, Any]]:
        """(plugin, item) for all that the plugins declared through a `register_…` hook, which was called once."""
        return list(self._items[hook])

    def admit(self, names: Iterable[str], message: Message) -> Refusal | None:
        """Asks these plugins, in order, until one refuses. One that raises admits, and rests after three times in a row."""
        hooks = self._hooks["admit"]
        if not hooks:
            return None
        for name in names:
            if name in hooks and (refusal := self._ask(name, hooks[name], message)) is not None:
                return refusal
        return None

    def _ask(self, name: str, hook: Callable[..., Any], message: Message) -> Refusal | None:
        calls, began = self.calls, time.perf_counter()
        if calls.rests(name, ADMIT):
            return None
        try:
            answer = hook(message)
            if answer is not None and not isinstance(answer, Refusal):
                raise TypeError(f"expected a Refusal or None, found {answer!r}")
        except Exception as error:
            log.exception("admit failed, so the message passes", plugin=name)
            calls.note(name, ADMIT, time.perf_counter() - began, error, fault=True)
            calls.failed(name, ADMIT, MOST_FAILURES, ADMIT, error)
            return None
        calls.note(name, ADMIT, time.perf_counter() - began, answer)
        calls.worked(name, ADMIT)
        return answer

    def observe(self, names: Iterable[str], event: Event) -> None:
        """Tells these plugins; what one raises is logged and reaches nobody."""
        hooks = self._hooks["observe"]
        for name in names if hooks else ():
            if name in hooks:
                fault, began = None, time.perf_counter()
                try:
                    hooks[name](event)
                except Exception as error:
                    fault = error
                    log.exception("observe failed", plugin=name, event_name=event.name)
                self.calls.note(name, "observe", time.perf_counter() - began, fault or event.name, fault=fault is not None)

    def lifespans(self) -> list[AbstractAsyncContextManager[None]]:
        """What to enter at the start, in order, and to leave in reverse. Raises PluginError."""
        found: list[AbstractAsyncContextManager[None]] = []
        for name, call in self._hooks["lifespan"].items():
            began = time.perf_counter()
            try:
                span = call()
            except Exception as error:
                raise PluginError(name, f"lifespan: {type(error).__name__}: {error}") from error
            self.calls.begin(name, "lifespan", time.perf_counter() - began, span)
            if span is not None and not isinstance(span, AbstractAsyncContextManager):
                raise PluginError(name, f"lifespan: expected an async context manager or None, found {span!r}")
            found += [] if span is None else [span]
        return found


def _locales(loaded: Iterable[Loaded]) -> tuple[Locales, list[BotError]]:
    folders = {one.name: one.folder for one in loaded if one.folder is not None}
    faults: list[BotError] = []
    for name, folder in list(folders.items()):
        try:
            Locales({name: folder})
        except PluginError as error:
            faults.append(error)
            del folders[name]
    return Locales(folders), faults


def chosen(config: Config, plugins: Plugins) -> list[tuple[str, Model[Any, Any]]]:
    """(plugin, model) of what a worker serves: what `worker.models` names, or all. Raises ConfigError for names that nobody brings."""
    models, names = plugins.collect("register_models"), config.worker.models
    known = {model.name for _, model in models}
    if missing := sorted(names - known):
        expected = f"expected models that the plugins of this file bring ({', '.join(sorted(known)) or 'none'})"
        raise ConfigError(config.source.fault(("worker", "models"), f"{expected}, found {', '.join(missing)}"))
    return [(plugin, model) for plugin, model in models if not names or model.name in names]


def load(config: Config, half: Half) -> Plugins:
    """The plugins that the configuration lists and that have this half; nothing else is imported.

    Raises PluginError or ConfigError; where there are several faults, one ConfigError with all of them.
    """
    loaded: list[Loaded] = []
    faults: list[BotError] = []
    for name in config.plugins:
        try:
            one = _load(config, name, half)
            loaded += [one] if one else []
        except BotError as error:
            faults.append(error)
    try:
        plugins = Plugins(loaded, half)
    except BotError as error:
        faults.append(error)
    raise_all(faults)
    return plugins


def raise_all(faults: Iterable[BotError]) -> None:
    """Raises the one fault as it is, several as one ConfigError, none not at all."""
    found = list(faults)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ConfigError(*(line for fault in found for line in (fault.faults if isinstance(fault, ConfigError) else (str(fault),))))


def _load(config: Config, name: str, half: Half) -> Loaded | None:
    process, began = psutil.Process(), time.perf_counter()
    before = process.memory_info().rss
    found = find(config, name)
    manifest = found.manifest()
    if not (found.has("front") or found.has("model")):
        raise PluginError(name, f"expected front.py or model.py in {found.folder}, found neither")
    table = config.plugins[name]
    faults: list[BotError] = []
    try:
        options = config_of(config, name, found)
    except BotError as error:
        faults.append(error)
    try:
        settings = settings_of(config, name, found, table)
    except BotError as error:
        faults.append(error)
    raise_all(faults)
    module = found.module(half)
    if module is None:
        return None
    plugin = _plugin(config, found, half, getattr(module, "Plugin", None), options)
    version = manifest.version or found.release
    switches = (table.enabled, table.switchable)
    cost = Cost(time.perf_counter() - began, max(0, process.memory_info().rss - before))
    return Loaded(name, plugin, manifest, settings, version, table.defaults, table.locked, options, *switches, found.folder, cost)


def _plugin(config: Config, found: Found, half: Half, made: Any, options: BaseModel) -> object:
    """Given as much as its class takes: nothing, its Config, or its Config and the catalogue of models."""
    if not isinstance(made, type):
        raise PluginError(found.name, f"{half}.py: expected `class Plugin`, found {made!r}")
    takes = len(inspect.signature(made).parameters)
    catalogue = [load_catalogue(added=config.models_dir)] if takes > 1 else []
    try:
        return made(*[options, *catalogue][:takes])
    except ConfigError as error:
        raise ConfigError(*(config.source.fault(("plugins", found.name), fault) for fault in error.faults)) from error
    except Exception as error:  # a stranger's code
        raise PluginError(found.name, f"{half}.py: Plugin cannot be made: {described(error, found.folder)}") from error
