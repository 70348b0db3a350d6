"""What makes somebody an owner, and what owners decide for all servers. What a server's own admins decide: `switches.py`, `forms.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field

from bot import (
    Action,
    BadArguments,
    Barred,
    Choice,
    Command,
    Context,
    NoArgs,
    Order,
    Reply,
    Route,
    Rules,
    later,
    tr,
    translated,
)
from plugins.admin import doors
from plugins.admin.menus import MOST, menus
from plugins.admin.people import named, replied
from plugins.admin.telling import entry


class ClaimArgs(BaseModel):
    """What `/claim` takes."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=40, description="The code that `hobnob run` or `hobnob claim` has printed.")


class BarArgs(BaseModel):
    """What `/bar` takes."""

    model_config = ConfigDict(extra="forbid")

    what: str = Field(default="", max_length=240, description="plugin NAME, model NAME, server or person; or reply to a person.")
    name: str = Field(default="", max_length=200, description="Which one.")


class Let(BaseModel):
    """What a menu lets in again."""

    model_config = ConfigDict(frozen=True)

    what: str


LATELY = 5
"""Entries of the owners' log that are shown."""

USAGE = later(
    "Say `/bar plugin NAME`, `/bar model NAME`, `/bar server` for this one, `/bar server CONNECTOR/ID`, `/bar person` in a reply or with a "
    "mention, or `/bar person CONNECTOR/ID`."
)


def routes() -> Iterable[Route]:
    """The commands of owners."""
    return [
        Command(
            "claim",
            "Become the owner of this bot, with the code that it printed.",
            ClaimArgs,
            claim,
            everywhere=True,
            example="/claim K7MQ-P2XW-9RTA",
        ),
        Command("house", "See who owns this bot, who may use it, and what is shut out everywhere.", NoArgs, house, least="owner"),
        Command(
            "bar",
            "Shut out a person or a server, or stop a plugin or a model, everywhere.",
            BarArgs,
            bar,
            least="owner",
            example="/bar plugin imagine",
        ),
        Action("let", Let, let),
        *doors.routes(),
    ]


async def house(ctx: Context, args: NoArgs) -> Reply:
    """Who owns the bot, who may use it, and what is shut out, with menus to change that."""
    rules, admission = await ctx.house.rules(), await ctx.house.admission()
    shown, done = panel(rules), [f"- {entry(one)}" for one in await ctx.house.deeds(LATELY)]
    lately = [f"**{tr('What was decided lately')}**", *done] if done else []
    others = tr("The menu has the first {some} of what is shut out: `/bar` alone has the others, too.", some=MOST)
    text = "\n".join([shown.text, *([others] if shown.buttons[1:] else []), *doors.lines(admission), *lately])
    return Reply(text, buttons=[*shown.buttons[:1], *doors.menus(admission)], private=True)


async def bar(ctx: Context, args: BarArgs) -> Reply:
    """Shuts something out at once; what is being worked on for it is cancelled. Without words it shows what is."""
    if not f"{args.what}{args.name}".strip():
        return panel(await ctx.house.rules())
    kind, _, name = f"{args.what} {args.name}".strip().partition(" ")
    if kind == "person" and "/" not in name:
        name, word = _person(ctx)
    elif kind == "server" and not name.strip():
        name = word = ctx.address.tenant
    else:
        name = word = name.strip()
    if kind not in KINDS or not name:
        raise BadArguments(translated(USAGE))
    return panel(await ctx.house.order(Order(kind=KINDS[kind], name=name, word=word)))


KINDS: Mapping[str, Barred] = {"person": "person", "server": "server", "plugin": "plugin", "model": "model"}


def _person(ctx: Context) -> tuple[str, str]:
    about = replied(ctx)
    people = named(ctx) or ([about] if about is not None else [])
    if len(people) != 1:
        raise BadArguments(translated(USAGE))
    return f"{ctx.address.connector}/{people[0].id}", people[0].name


async def let(ctx: Context, args: Let) -> Reply:
    """Lets something in again."""
    kind, _, name = args.what.partition(" ")
    return panel(await ctx.house.order(Order(kind=KINDS[kind], name=name, barred=False)))


def panel(rules: Rules) -> Reply:
    """What is shut out everywhere, with as many menus as there is room for."""
    owners = ", ".join(f"{owner.name} ({id})" for id, owner in rules.owners.items())
    barred = [
        (f"{kind} {name}", f"{translated(kind)} {word or name}") for kind, those in rules.barred.items() for name, word in those.items()
    ]
    lines = [tr("Owners: {owners}.", owners=owners), *(f"- {tr('{what} is shut out', what=shown)}" for _, shown in barred)]
    text = "\n".join(lines if barred else [*lines, f"{tr('Nothing is shut out.')} {translated(USAGE)}"])
    choices = [Choice(shown[:100], what) for what, shown in barred]
    return Reply(text, buttons=menus("let", "what", choices, tr("Let in again")), private=True)


async def claim(ctx: Context, args: ClaimArgs) -> Reply:
    """Works once for each code."""
    await ctx.house.claim(args.code)
    waiting = len((await ctx.house.admission()).waiting)
    said = tr("You own me now, in every server of this platform. I ask you here when somebody new wants to use me.")
    return Reply(f"{said} {tr('{n} wait to be let in: say /house.', n=waiting)}" if waiting else said, private=True)
