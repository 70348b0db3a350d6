"""`/plugins`: a panel on which admins switch plugins for their server, a channel or a thread. Settings of plugins: `forms.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot import Action, BadArguments, Button, Changed, Choice, Chosen, Command, Context, Reply, Route, Select, Where, reaches, tr
from plugins.admin.menus import menus
from plugins.admin.places import decided, named, places

MOST_BUTTONS = 15
"""Below one message, where others stand besides: Discord takes 25."""


class PluginsArgs(BaseModel):
    """What `/plugins` takes."""

    model_config = ConfigDict(extra="forbid")

    plugin: str = Field(default="", max_length=100, description="One of them, to switch it at once; empty shows all.")
    switch: Literal["on", "off", "reset"] | None = Field(default=None, description="What it is to be; `reset` gives the switch back.")
    where: Where = Field(default="server", description="For what: this server, this channel or this thread.")


class Panel(BaseModel):
    """Which panel a button leads to."""

    model_config = ConfigDict(frozen=True)

    where: Where = "server"


class Switch(Panel):
    """What a button switches; `on` is None where the choice is given back. `seen` is how it stood when the button was made."""

    plugin: str
    on: bool | None
    seen: str


class Turned(BaseModel):
    """What was chosen from a menu of these."""

    model_config = ConfigDict(frozen=True)

    to: str


class Stop(Panel):
    """Whose requests a button cancels."""

    plugin: str


def routes() -> Iterable[Route]:
    """The command and its buttons."""
    return [
        Command("plugins", "See the plugins, and switch them on or off here.", PluginsArgs, show, example="/plugins imagine off"),
        Action("panel", Panel, look),
        Action("switch", Switch, switch),
        Action("turned", Turned, turned),
        Action("stop", Stop, stop),
    ]


async def show(ctx: Context, args: PluginsArgs) -> Reply:
    """Everybody may look; who names a plugin and `on` or `off` switches it at once."""
    match [*args.plugin.split(), *filter(None, (args.switch,))]:
        case []:
            return await panel(ctx, args.where)
        case [plugin, "on" | "off" | "reset" as to]:
            return await switch(ctx, Switch(where=args.where, plugin=plugin, on={"on": True, "off": False, "reset": None}[to], seen=""))
    raise BadArguments(tr("Say `/plugins NAME on`, `off` or `reset`, for a channel or thread with `--where channel` or `--where thread`."))


async def look(ctx: Context, args: Panel) -> Reply:
    """The same panel for another place."""
    return await panel(ctx, args.where)


async def switch(ctx: Context, args: Switch) -> Reply:
    """Switches, and asks about what is still under way."""
    try:
        chosen = await ctx.choices.switch(args.on, args.where, plugin=args.plugin, seen=args.seen)
    except Changed as error:
        return await panel(ctx, args.where, str(error))
    if chosen.on or not (left := await ctx.choices.working(args.plugin, args.where)):
        return await panel(ctx, args.where)
    buttons = [
        Button(tr("Let them finish"), "panel", {"where": args.where}),
        Button(tr("Cancel them"), "stop", {"where": args.where, "plugin": args.plugin}),
    ]
    said = tr(
        "{plugin} is off from now on. Requests to it that came before that and are not answered yet: {n}.", plugin=args.plugin, n=left
    )
    return Reply(said, buttons=buttons, instead=True)


async def turned(ctx: Context, args: Turned) -> Reply:
    """The same, from a menu."""
    return await switch(ctx, Switch.model_validate_json(args.to))


async def stop(ctx: Context, args: Stop) -> Reply:
    """Cancels what came before a plugin was switched off."""
    stopped = await ctx.choices.stop(args.plugin, args.where)
    return await panel(ctx, args.where, tr("Cancelled: {n}.", n=stopped))


async def panel(ctx: Context, where: Where, said: str = "") -> Reply:
    """What is on, with a button for each plugin that may be switched, if the person may."""
    found = [one for one in await ctx.choices.all() if one.plugin != "hobnob"]
    lines = [said, f"**{tr('Plugins, for {place}', place=named(where))}**", *(line(one) for one in found)]
    below = [*_switches(found, where), *_elsewhere(ctx, where)] if reaches(ctx.level, "admin") else []
    return Reply("\n".join(filter(None, lines)), buttons=below, instead=True)


def _switches(found: Sequence[Chosen], where: Where) -> Sequence[Button | Select]:
    """A button for what each takes; menus where these are too many."""
    ways = [way for one in found for way in _ways(one, where)]
    if len(ways) <= MOST_BUTTONS:
        return [Button(label, "switch", to.model_dump()) for label, to in ways]
    return menus("turned", "to", [Choice(label[:100], to.model_dump_json()) for label, to in ways], tr("Switch a plugin"))


def line(chosen: Chosen) -> str:
    """Whether a plugin is on, and who has decided that."""
    if not chosen.installed and not chosen.trouble:
        return f"- {tr('**{plugin}** is not installed any more. What was chosen for it is kept.', plugin=chosen.plugin)}"
    is_ = tr("**{plugin}** is on", plugin=chosen.plugin) if chosen.on else tr("**{plugin}** is off", plugin=chosen.plugin)
    by = "" if chosen.origin == "operator" else f" ({decided(chosen.origin)})"
    return " ".join(filter(None, (f"- {is_}{by}.", chosen.summary, chosen.trouble)))


def _ways(chosen: Chosen, where: Where) -> Iterable[tuple[str, Switch]]:
    """How it may be switched, and in which words."""
    if chosen.locked:
        return
    now = Switch(where=where, plugin=chosen.plugin, on=not chosen.on, seen=chosen.seen)
    yield tr("Switch {plugin} off", plugin=chosen.plugin) if chosen.on else tr("Switch {plugin} on", plugin=chosen.plugin), now
    if chosen.origin == where != "server":
        yield tr("{plugin} as elsewhere", plugin=chosen.plugin), now.model_copy(update={"on": None})


def _elsewhere(ctx: Context, where: Where) -> list[Button]:
    return [Button(tr("For {place}", place=named(other)), "panel", {"where": other}) for other in places(ctx.address) if other != where]
