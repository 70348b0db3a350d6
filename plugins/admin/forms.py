"""`/settings`: forms made of plugins' settings, for a server, a channel or a thread. Switching plugins: `switches.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from bot import (
    Action,
    BadArguments,
    Button,
    Change,
    Changed,
    Choice,
    Chosen,
    Command,
    Context,
    File,
    Reply,
    Route,
    Select,
    Setting,
    Where,
    later,
    reaches,
    tr,
    translated,
)
from plugins.admin import transfer
from plugins.admin.fields import Fields
from plugins.admin.menus import menus
from plugins.admin.places import decided, known, named, places

KEPT = later("kept until it is installed again")


class SettingsArgs(BaseModel):
    """What `/settings` takes."""

    model_config = ConfigDict(extra="forbid")

    plugin: str = Field(default="", max_length=6000, description="The plugin; empty lists those that have settings.")
    setting: str = Field(default="", max_length=64, description="One of its settings.")
    value: str = Field(default="", max_length=6000, description="What it is to be; `reset` gives it back.")
    where: Where = Field(default="server", description="For what: this server, this channel or this thread.")


class About(BaseModel):
    """Which settings a button is about; `seen` is how all of them stood when it was made."""

    model_config = ConfigDict(frozen=True)

    plugin: str = ""
    where: Where = "server"
    seen: str = ""


class One(About):
    """One of them."""

    setting: str


class Put(One):
    """What it is to be, None to reset it."""

    value: JsonValue = None


def routes() -> Iterable[Route]:
    """The command, its menus and buttons."""
    return [
        Command(
            "settings",
            "See the settings of a plugin, and change them here.",
            SettingsArgs,
            settings,
            example="/settings chat temperature 0.5",
        ),
        Action("settings", About, form),
        Action("setting", One, one),
        Action("put", Put, put),
        Action("reset", About, reset),
        Action("export", About, export),
        Action("import", transfer.Text, bring),
    ]


async def settings(ctx: Context, args: SettingsArgs) -> Reply:
    """The form, or with a value at once what it would do; a TOML file that comes along is imported."""
    if files := [part for part in ctx.message.parts if isinstance(part, File)]:
        content = await ctx.read(files[0].source, limit=transfer.LARGEST)
        return await bring(ctx, transfer.Text(plugin=args.plugin.strip(), where=args.where, text=content.decode(errors="replace")))
    words = [*args.plugin.split(maxsplit=2), args.setting, args.value] if not args.setting else [args.plugin, args.setting, args.value]
    plugin, setting, value = [*filter(None, words), "", "", ""][:3]
    if not setting:
        return await form(ctx, About(plugin=plugin, where=args.where))
    if not value:
        return await one(ctx, One(plugin=plugin, setting=setting, where=args.where))
    return await put(ctx, Put(plugin=plugin, setting=setting, value=None if value == "reset" else value, where=args.where))


async def form(ctx: Context, args: About, said: str = "") -> Reply:
    """All settings of a plugin, with a menu that leads to each; or all plugins that have any."""
    if not args.plugin:
        return await _plugins(ctx, args.where, said)
    found = await ctx.choices.of(args.plugin)
    shape = Fields(found.shape)
    title = f"**{tr('Settings of {plugin}, for {place}', plugin=known(found), place=named(args.where))}**"
    lines = [f"- {shape.title(each.name)}: {shape.shown(each)} ({_origin(each)})" for each in found.settings]
    text = "\n".join(filter(None, (said, title, *(lines or [tr("There is nothing to choose.")]))))
    return Reply(text, buttons=_controls(ctx, found, shape, args.where), instead=True)


def _origin(setting: Setting) -> str:
    return tr("{who}, cannot be changed here", who=decided(setting.origin)) if setting.locked else decided(setting.origin)


def _controls(ctx: Context, found: Chosen, shape: Fields, where: Where) -> list[Button | Select]:
    if not reaches(ctx.level, "admin"):
        return []
    about = {"plugin": found.plugin, "where": where, "seen": found.seen}
    open_ = [each.name for each in found.settings if not each.locked and found.installed and shape.editable(each.name)]
    choices = [Choice(shape.title(name), name) for name in open_]
    elsewhere = [
        Button(tr("For {place}", place=named(other)), "settings", {**about, "where": other})
        for other in places(ctx.address)
        if other != where
    ]
    chosen = any(each.origin == where for each in found.settings)
    mine = [Button(tr("Reset all"), "reset", about), Button(tr("Export"), "export", about)] if chosen else []
    return [
        *menus("setting", "setting", choices, tr("Change a setting"), about),
        *elsewhere,
        *mine,
        transfer.button(about),
        Button(tr("All plugins"), "settings", {"where": where}),
    ]


async def _plugins(ctx: Context, where: Where, said: str) -> Reply:
    having = [found for found in await ctx.choices.all() if found.settings]
    lines = [f"- {known(found)}: {len(found.settings)}{'' if found.installed else f', {translated(KEPT)}'}" for found in having]
    choices = [Choice(known(found), found.plugin) for found in having]
    below = menus("settings", "plugin", choices, tr("Choose a plugin"), {"where": where})
    text = "\n".join(filter(None, (said, f"**{tr('Settings, for {place}', place=named(where))}**", *lines)))
    return Reply(text, buttons=below, instead=True)


async def one(ctx: Context, args: One, said: str = "") -> Reply:
    """One setting: what it is, what holds, who decided that, and how to change it."""
    found = await ctx.choices.of(args.plugin)
    here, shape = found.setting(args.setting), Fields(found.shape)
    lines = [
        said,
        tr("**{setting}**, for {place}", setting=shape.title(here.name), place=named(args.where)),
        shape.description(here.name),
        tr("Now: {value} ({who})", value=shape.shown(here, whole=True), who=_origin(here)),
    ]
    text = "\n".join(filter(None, lines))
    if here.locked or not found.installed or not reaches(ctx.level, "admin"):
        return Reply(text, instead=True)
    put = {"plugin": found.plugin, "where": args.where, "setting": here.name, "seen": found.seen}
    resets = [Button(tr("Reset"), "put", put)] if here.origin == args.where else []
    back = Button(tr("Back"), "settings", {"plugin": found.plugin, "where": args.where})
    return Reply(text, buttons=[*shape.controls(here, "put", put), *resets, back], instead=True)


async def put(ctx: Context, args: Put) -> Reply:
    """Saves a value; where somebody was quicker, the person sees that and confirms."""
    found = await ctx.choices.of(args.plugin)
    value = Fields(found.shape).read(args.setting, args.value)
    try:
        chosen = await ctx.choices.save({args.setting: value}, args.where, plugin=args.plugin, seen=args.seen)
    except Changed as error:
        return _confirmed("put", args, error)
    return await form(ctx, args, "\n".join((tr("Saved."), *chosen.warnings)))


def _confirmed(action: str, args: About | transfer.Text, error: Changed) -> Reply:
    """What somebody else has done meanwhile, and a button that does it all the same."""
    anew = args.model_copy(update={"seen": error.now.seen})
    confirm = Button(tr("Save it all the same"), action, anew.model_dump())
    back = Button(tr("Back"), "settings", {"plugin": args.plugin, "where": args.where})
    return Reply(str(error), buttons=[confirm, back], instead=True)


async def reset(ctx: Context, args: About) -> Reply:
    """Gives all settings of a plugin back."""
    try:
        await ctx.choices.change(Change(plugin=args.plugin, where=args.where, everything=True, seen=args.seen))
    except Changed as error:
        return _confirmed("reset", args, error)
    return await form(ctx, args, tr("All of it is as before."))


async def export(ctx: Context, args: About) -> Reply:
    """A TOML file of what is chosen here."""
    if not reaches(ctx.level, "admin"):
        raise BadArguments(tr("Only admins of this server take its settings home."))
    found = await ctx.choices.of(args.plugin)
    chosen: Mapping[str, Any] = {each.name: each.value for each in found.settings if each.origin == args.where}
    blob = await ctx.keep(transfer.written(found.plugin, chosen), "application/toml", f"{found.plugin}.toml")
    return Reply(tr("What is chosen for {plugin}, for {place}.", plugin=known(found), place=named(args.where)), File(blob))


async def bring(ctx: Context, args: transfer.Text) -> Reply:
    """Saves what a TOML text says, all or nothing for each plugin."""
    changes = transfer.changes(args)
    try:
        for change in changes:
            await ctx.choices.change(change)
    except Changed as error:
        return _confirmed("import", args, error)
    saved = ", ".join(change.plugin for change in changes)
    return await form(ctx, About(plugin=args.plugin or changes[0].plugin, where=args.where), tr("Imported: {plugins}.", plugins=saved))
