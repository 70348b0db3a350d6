"""Checks what plugins declare: their hook implementations, and the items these return. Loading plugins and calling them: `plugins.py`."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pluggy
from pydantic import BaseModel

from bot import hookspecs
from bot.errors import BotError, PluginError
from bot.models import Model
from bot.routes import Action, Command, Listener, Reaction, Route, Schedule, Tool, Toolset

HOOKS: Mapping[str, frozenset[str]] = {
    "front": frozenset({"register_connectors", "register_routes", "register_tools", "admit", "lifespan", "observe"}),
    "model": frozenset({"register_models", "lifespan"}),
}
"""Which hooks each half of a plugin may implement."""

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
"""What every platform takes as a command's name, and every model as a tool's."""

_ROUTES = (Command, Listener, Action, Reaction, Schedule)

Items = Mapping[str, Sequence[tuple[str, Any]]]
"""By hook, the (plugin, item) pairs that were declared."""


def hooks_of(plugins: Mapping[str, object], half: str) -> tuple[dict[str, dict[str, Callable[..., Any]]], list[BotError]]:
    """By hook and plugin, what to call, in the order of `plugins`; and every implementation that is wrong."""
    registry = pluggy.PluginManager("hobnob")
    registry.add_hookspecs(hookspecs)
    names = sorted(set().union(*HOOKS.values()))
    hooks: dict[str, dict[str, Callable[..., Any]]] = {name: {} for name in names}
    faults: list[BotError] = []
    for name, plugin in plugins.items():
        wrong = [PluginError(name, fault) for fault in _hook_faults(registry, plugin, half)]
        faults += wrong
        try:
            if not wrong:
                registry.register(plugin, name=name)
        except (pluggy.PluginValidationError, ValueError) as error:
            faults.append(PluginError(name, " ".join(str(error).split())))
    for hook in names:
        calls = {impl.plugin_name: _calling(impl) for impl in getattr(registry.hook, hook).get_hookimpls()}
        hooks[hook] = {name: calls[name] for name in plugins if name in calls}
    return hooks, faults


def faults_of(items: Items) -> Iterator[PluginError]:
    """What is wrong with the declared items: the kind of thing, a handler that cannot wait, a name that is taken."""
    takers: dict[str, str] = {}
    for hook, declared in items.items():
        for plugin, item in declared:
            if fault := _item_fault(hook, item):
                yield PluginError(plugin, f"{hook}: {fault}")
                continue
            what = _what(hook, plugin, item)
            if what in takers:
                other = "twice" if takers[what] == plugin else f", which plugin {takers[what]!r} has already"
                yield PluginError(plugin, f"declares {what}{' ' if other == 'twice' else ''}{other}: rename one of them")
            takers.setdefault(what, plugin)


def digest(release: str, settings: type[BaseModel], routes: Iterable[Route]) -> str:
    """The release, and eight characters that change with the shape of the settings and of what routes take."""
    shapes = [json.dumps(settings.model_json_schema(), sort_keys=True)]
    for route in routes:
        model = getattr(route, "args", None) or getattr(route, "payload", None)
        shapes.append(f"{type(route).__name__} {route.name} {json.dumps(model.model_json_schema(), sort_keys=True) if model else ''}")
    return f"{release or '0'}+{hashlib.blake2b(chr(0).join(sorted(shapes)).encode(), digest_size=4).hexdigest()}"


def _hook_faults(registry: pluggy.PluginManager, plugin: object, half: str) -> Iterator[str]:
    for name in dir(plugin):
        options = registry.parse_hookimpl_opts(plugin, name)
        if options is None:
            continue
        hook, function = options.get("specname") or name, getattr(plugin, name)
        if hook not in set().union(*HOOKS.values()):
            close = difflib.get_close_matches(hook, HOOKS[half], n=1)
            yield f"{name} is no hook{f' (did you mean {close[0]}?)' if close else ''}; {half}.py may have {', '.join(sorted(HOOKS[half]))}"
        elif hook not in HOOKS[half]:
            yield f"{name} belongs in {'model' if half == 'front' else 'front'}.py, found in {half}.py"
        elif options.get("wrapper") or options.get("hookwrapper"):
            yield f"{name}: expected a plain hook, found a wrapper: no plugin stands around another's hooks"
        elif inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            yield f"{name}: expected a plain `def`, found `async def`: hooks declare, only handlers wait"


def _calling(impl: pluggy.HookImpl) -> Callable[..., Any]:
    function = impl.function
    return function if impl.argnames else lambda *_: function()


def _item_fault(hook: str, item: Any) -> str:
    match hook:
        case "register_routes":
            return _route_fault(item)
        case "register_tools":
            return "" if isinstance(item, Toolset) else tool_fault(item)
        case "register_models" if not isinstance(item, Model):
            return f"expected a Model, found {item!r}"
        case "register_connectors" if not (isinstance(getattr(item, "name", None), str) and hasattr(item, "limits")):
            return f"expected a Connector with a name and limits, found {item!r}"
    return ""


def tool_fault(tool: Any) -> str:
    """What is wrong with it, "" for nothing."""
    if not isinstance(tool, Tool):
        return f"expected a Tool, found {tool!r}"
    if not _waits(tool.handler):
        return f"Tool {tool.name!r}: expected `async def` as its handler, found {tool.handler!r}"
    named = isinstance(tool.name, str) and COMMAND.fullmatch(tool.name)
    return "" if named else f"Tool {tool.name!r}: expected 1 to 32 of a-z, 0-9 and _ as its name"


def _route_fault(route: Any) -> str:
    if not isinstance(route, _ROUTES):
        return f"expected a Command, Listener, Action, Reaction or Schedule, found {route!r}"
    if not _waits(route.handler):
        return f"{type(route).__name__} {route.name!r}: expected `async def` as its handler, found {route.handler!r}"
    if isinstance(route, Listener) and inspect.iscoroutinefunction(route.predicate):
        return f"Listener {route.name!r}: expected a plain `def` as its predicate, found `async def`"
    if isinstance(route, Command) and not COMMAND.fullmatch(route.name):
        return f"Command {route.name!r}: expected 1 to 32 of a-z, 0-9 and _ as its name"
    return _completion_fault(route) if isinstance(route, Command) else ""


def _completion_fault(command: Command) -> str:
    for name, completion in command.completions.items():
        if name not in command.args.model_fields:
            return f"Command {command.name!r}: completes {name!r}, which is no field of {command.args.__name__}"
        if not _waits(completion):
            return f"Command {command.name!r}: expected `async def` to complete {name!r}, found {completion!r}"
    return ""


def _waits(handler: Any) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004  its type, not whether


def _what(hook: str, plugin: str, item: Any) -> str:
    """What must not be declared twice: most routes only within their plugin."""
    match item:
        case Command(name=name):
            return f"the command /{name}"
        case Listener() | Action() | Reaction() | Schedule() | Toolset():
            return f"{type(item).__name__} {item.name!r} of plugin {plugin!r}"
    return f"the {hook.removeprefix('register_').removesuffix('s')} {item.name!r}"
