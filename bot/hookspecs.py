"""Everything a plugin can hook into. Hooks declare, handlers act: every hook is sync and optional. Loading is in `bot/plugins.py`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from bot.connector import Connector
    from bot.events import Event
    from bot.messages import Message
    from bot.models import Model
    from bot.routes import Refusal, Route, Tool, Toolset

hookspec = pluggy.HookspecMarker("hobnob")
hookimpl = pluggy.HookimplMarker("hobnob")


@hookspec
def register_connectors() -> Iterable[Connector]:  # type: ignore[empty-body]
    """Called once at router start; all are collected. Two connectors of one name are a PluginError naming both."""


@hookspec
def register_routes() -> Iterable[Route]:  # type: ignore[empty-body]
    """Called once at router start; all are collected. Two commands of one name are a PluginError naming both."""


@hookspec
def register_tools() -> Iterable[Tool | Toolset]:  # type: ignore[empty-body]
    """Called once at router start; all are collected. Two tools of one name are a PluginError naming both."""


@hookspec
def register_models() -> Iterable[Model[Any, Any]]:  # type: ignore[empty-body]
    """Called once at worker start; all are collected. Models are built here, not loaded."""


@hookspec
def admit(message: Message) -> Refusal | None:
    """Called for each message, only where the plugin is enabled; the first refusal ends it, None lets it pass."""


@hookspec
def lifespan() -> AbstractAsyncContextManager[None] | None:
    """Called once per process; all are entered in order and left in reverse. None needs no set-up."""


@hookspec
def observe(event: Event) -> None:
    """Called after each event of a server where the plugin is enabled; the result is ignored, an error is logged."""
