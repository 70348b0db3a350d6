"""`/plugins`: a panel on which admins switch plugins for their server, a channel or a thread. Settings of plugins: `forms.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot import Action, BadArguments, Button, Changed, Chosen, Command, Context, Reply, Route, Where, reaches, tr
from plugins.admin.places import decided, named, places


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


class Stop(Panel):
    """Whose requests a button cancels."""

    plugin: str


def routes() -> Iterable[Route]:
    """The command and its buttons."""
    return [
        Command("plugins", "See the plugins, and switch them on or off here.", PluginsArgs, show, example="/plugins imagine off"),
        Action("panel", Panel, look),
        Action("switch", Switch, switch),
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


async def stop(ctx: Context, args: Stop) -> Reply:
    """Cancels what came before a plugin was switched off."""
    stopped = await ctx.choices.stop(args.plugin, args.where)
    return await panel(ctx, args.where, tr("Cancelled: {n}.", n=stopped))


async def panel(ctx: Context, where: Where, said: str = "") -> Reply:
    """What is on, with a button for each plugin that may be switched, if the person may."""
    found = [one for one in await ctx.choices.all() if one.plugin != "hobnob"]
    lines = [said, f"**{tr('Plugins, for {place}', place=named(where))}**", *(line(one) for one in found)]
    buttons = [button for one in found for button in _buttons(one, where)] + _elsewhere(ctx, where) if reaches(ctx.level, "admin") else []
    return Reply("\n".join(filter(None, lines)), buttons=buttons, instead=True)


def line(chosen: Chosen) -> str:
    """Whether a plugin is on, and who has decided that."""
    if not chosen.installed and not chosen.trouble:
        return f"- {tr('**{plugin}** is not installed any more. What was chosen for it is kept.', plugin=chosen.plugin)}"
    is_ = tr("**{plugin}** is on", plugin=chosen.plugin) if chosen.on else tr("**{plugin}** is off", plugin=chosen.plugin)
    by = "" if chosen.origin == "operator" else f" ({decided(chosen.origin)})"
    return " ".join(filter(None, (f"- {is_}{by}.", chosen.summary, chosen.trouble)))


def _buttons(chosen: Chosen, where: Where) -> Iterable[Button]:
    if chosen.locked:
        return
    label = tr("Switch {plugin} off", plugin=chosen.plugin) if chosen.on else tr("Switch {plugin} on", plugin=chosen.plugin)
    yield _switch(label, chosen, where, not chosen.on)
    if chosen.origin == where != "server":
        yield _switch(tr("{plugin} as elsewhere", plugin=chosen.plugin), chosen, where, None)


def _switch(label: str, chosen: Chosen, where: Where, on: bool | None) -> Button:
    return Button(label, "switch", Switch(where=where, plugin=chosen.plugin, on=on, seen=chosen.seen).model_dump())


def _elsewhere(ctx: Context, where: Where) -> list[Button]:
    return [Button(tr("For {place}", place=named(other)), "panel", {"where": other}) for other in places(ctx.address) if other != where]
