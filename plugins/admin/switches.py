"""`/plugins`: a panel on which admins switch plugins for their server, a channel or a thread. Settings of plugins: `forms.py`."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from bot import Action, Button, Changed, Chosen, Command, Context, NoArgs, Reply, Route, Where, reaches
from plugins.admin.places import NAMES, ORIGINS, places

PLUGINS = {"zh-CN": "查看插件，并为这个服务器打开或关闭它们。"}


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
        Command("plugins", "See the plugins, and switch them on or off here.", NoArgs, show, descriptions=PLUGINS),
        Action("panel", Panel, look),
        Action("switch", Switch, switch),
        Action("stop", Stop, stop),
    ]


async def show(ctx: Context, args: NoArgs) -> Reply:
    """Everybody may look."""
    return await panel(ctx, "server")


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
    requests = "1 request" if left == 1 else f"{left} requests"
    buttons = [
        Button("Let them finish", "panel", {"where": args.where}),
        Button("Cancel them", "stop", {"where": args.where, "plugin": args.plugin}),
    ]
    said = f"{args.plugin} is off from now on. {requests} to it came before that and are not answered yet."
    return Reply(said, buttons=buttons, instead=True)


async def stop(ctx: Context, args: Stop) -> Reply:
    """Cancels what came before a plugin was switched off."""
    stopped = await ctx.choices.stop(args.plugin, args.where)
    return await panel(ctx, args.where, f"Cancelled: {stopped}.")


async def panel(ctx: Context, where: Where, said: str = "") -> Reply:
    """What is on, with a button for each plugin that may be switched, if the person may."""
    found = [one for one in await ctx.choices.all() if one.plugin != "hobnob"]
    lines = [said, f"**Plugins, for {NAMES[where]}**", *(line(one) for one in found)]
    buttons = [button for one in found for button in _buttons(one, where)] + _elsewhere(ctx, where) if reaches(ctx.level, "admin") else []
    return Reply("\n".join(filter(None, lines)), buttons=buttons, instead=True)


def line(chosen: Chosen) -> str:
    """Whether a plugin is on, and who has decided that."""
    if not chosen.installed:
        return f"- **{chosen.plugin}** is not installed any more. What was chosen for it is kept."
    decided = "" if chosen.origin == "operator" else f", {ORIGINS[chosen.origin]}"
    return f"- **{chosen.plugin}** is {'on' if chosen.on else 'off'}{decided}. {chosen.summary}"


def _buttons(chosen: Chosen, where: Where) -> Iterable[Button]:
    if chosen.locked:
        return
    yield _switch(f"Switch {chosen.plugin} {'off' if chosen.on else 'on'}", chosen, where, not chosen.on)
    if chosen.origin == where != "server":
        yield _switch(f"{chosen.plugin} as elsewhere", chosen, where, None)


def _switch(label: str, chosen: Chosen, where: Where, on: bool | None) -> Button:
    return Button(label, "switch", Switch(where=where, plugin=chosen.plugin, on=on, seen=chosen.seen).model_dump())


def _elsewhere(ctx: Context, where: Where) -> list[Button]:
    return [Button(f"For {NAMES[other]}", "panel", {"where": other}) for other in places(ctx.address) if other != where]
