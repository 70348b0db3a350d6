"""`/permissions`: who may do what here, and buttons and words that change it. What is decided by it: the core."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot import (
    Action,
    BadArguments,
    Button,
    Choice,
    Command,
    Context,
    Form,
    Grant,
    Held,
    Permit,
    Reply,
    Route,
    Select,
    Where,
    later,
    reaches,
    tr,
    translated,
)
from plugins.admin.menus import menus
from plugins.admin.people import grantee
from plugins.admin.places import named

USAGE = later(
    "Say `/permissions allow WHAT WHO`, `deny WHAT WHO`, `forget WHAT WHO` or `make WHO LEVEL`. WHAT is a command (`/again`), a plugin "
    "(`chat`) or `*`; WHO is `everyone`, `guest`, `member`, `moderator`, `me`, `role:NAME` or a mention, or a reply to the person; "
    "LEVEL is guest, member, moderator, admin or none. `--where channel` or `--where thread` makes it hold there alone."
)


class PermissionsArgs(BaseModel):
    """What `/permissions` takes."""

    model_config = ConfigDict(extra="forbid")

    do: str = Field(default="", max_length=400, description="allow, deny, forget or make; empty shows what holds.")
    what: str = Field(default="", max_length=64, description="A command, a plugin or *.")
    who: str = Field(default="", max_length=120, description="everyone, a level, role:NAME or a mention.")
    level: str = Field(default="", max_length=20, description="With make: guest, member, moderator, admin or none.")
    where: Where = Field(default="server", description="For what: this server, this channel or this thread.")


class Granted(BaseModel):
    """What the form asks for that lets somebody do something, or does not."""

    model_config = ConfigDict(frozen=True)

    who: str = Field(
        default="", max_length=120, json_schema_extra={"picks": "mentionable"}, description="A role or a person; empty: everybody."
    )
    what: str = Field(default="*", max_length=64, description="A command (`/again`), a plugin (`chat`) or everything (`*`).")
    may: Literal["yes", "no", "forget"] = Field(default="no", description="Whether they may use it; forget takes a grant back.")
    place: str = Field(default="", json_schema_extra={"picks": "channel"}, description="Where; empty: in the whole server.")


class Made(BaseModel):
    """What the form asks for that says what somebody is here."""

    model_config = ConfigDict(frozen=True)

    who: str = Field(max_length=120, json_schema_extra={"picks": "mentionable"}, description="A role or a person.")
    level: Literal["guest", "member", "moderator", "admin", "none"] = Field(
        default="moderator", description="What they are here; none leaves that to the platform."
    )


class Taken(BaseModel):
    """Which grant a menu takes back: its number in what the person saw, and what it was."""

    model_config = ConfigDict(frozen=True)

    which: str


def routes() -> Iterable[Route]:
    """The command and its menu."""
    return [
        Command(
            "permissions",
            "See who may do what here, and change it.",
            PermissionsArgs,
            permissions,
            least="moderator",
            example="/permissions deny /imagine guest",
        ),
        Action("granted", Granted, granted),
        Action("made", Made, made),
        Action("taken", Taken, taken),
    ]


async def permissions(ctx: Context, args: PermissionsArgs) -> Reply:
    """What holds, or what is to hold from now on."""
    words = [*args.do.split(), *filter(None, (args.what, args.who, args.level))]
    if not words:
        return panel(ctx, await ctx.permissions.held())
    match words:
        case ["allow" | "deny" | "forget" as do, what, *who]:
            whom, name = await grantee(ctx, " ".join(who), translated(USAGE))
            allowed = {"allow": True, "deny": False, "forget": None}[do]
            permit = _permit(who=whom, what=what, allowed=allowed, name=name, where=args.where)
        case ["make", *who, level]:
            whom, name = await grantee(ctx, " ".join(who), translated(USAGE))
            permit = _permit(who=whom, level=level, name=name)
        case _:
            raise BadArguments(translated(USAGE))
    return panel(ctx, await ctx.permissions.permit(permit), tr("Saved."))


def _permit(**fields: object) -> Permit:
    try:
        return Permit.model_validate(fields)
    except ValueError:
        raise BadArguments(translated(USAGE)) from None


async def granted(ctx: Context, args: Granted) -> Reply:
    """What the form says."""
    whom, name = await grantee(ctx, args.who or "everyone", translated(USAGE))
    allowed = {"yes": True, "no": False, "forget": None}[args.may]
    permit = _permit(who=whom, what=args.what, allowed=allowed, name=name, place=args.place)
    return panel(ctx, await ctx.permissions.permit(permit), tr("Saved."))


async def made(ctx: Context, args: Made) -> Reply:
    """What the form says."""
    whom, name = await grantee(ctx, args.who, translated(USAGE))
    return panel(ctx, await ctx.permissions.permit(_permit(who=whom, level=args.level, name=name)), tr("Saved."))


async def taken(ctx: Context, args: Taken) -> Reply:
    """Takes a grant or a level back."""
    held = await ctx.permissions.held()
    here = {_key(where, one): Permit(who=one.who, what=one.what, where=where, name=one.name) for where, one in held.grants}
    others = {_key(place, one): Permit(who=one.who, what=one.what, place=place, name=one.name) for place, one in held.elsewhere}
    ranks = {f"level {who}": Permit(who=who, level="none", name=held.names.get(who, "")) for who in held.levels}
    permit = (here | others | ranks).get(args.which)
    if permit is None:
        return panel(ctx, held, tr("That is not there any more."))
    return panel(ctx, await ctx.permissions.permit(permit), tr("Taken back."))


def _key(where: str, grant: Grant) -> str:
    return f"{where} {grant.what} {grant.who}"


def panel(ctx: Context, held: Held, said: str = "") -> Reply:
    """Everything that holds here, with a menu to take it back and words to add to it."""
    grants = [(_key(where, one), _granted(one, named(where))) for where, one in held.grants]
    grants += [(_key(place, one), _granted(one, held.places.get(place) or place)) for place, one in held.elsewhere]
    ranks = [
        (f"level {who}", tr("{who} is {level} here", who=held.names.get(who) or who, level=translated(level)))
        for who, level in held.levels.items()
    ]
    lines = [said, f"**{tr('Who may do what here')}**", *(f"- {text}" for _, text in [*grants, *ranks])]
    if not grants and not ranks:
        lines.append(tr("What the platform says: whoever manages this server is its admin, and everybody may use what is on."))
    if not reaches(ctx.level, "admin"):
        return Reply("\n".join(filter(None, lines)), instead=True)
    back = [Choice(text[:100], key) for key, text in [*grants, *ranks]]
    below: list[Button | Select] = [*menus("taken", "which", back, tr("Take something back")), *_forms()]
    return Reply("\n".join([*filter(None, lines), "", translated(USAGE)]), buttons=below, instead=True)


def _forms() -> list[Button]:
    """What asks for all that a grant or a level takes; `/permissions` says the same in words."""
    may, is_ = tr("Allow or deny something"), tr("Make somebody something")
    return [
        Button(may, "granted", form=Form.of(may, Granted, {"what": "*", "may": "no"})),
        Button(is_, "made", form=Form.of(is_, Made, {"level": "moderator"})),
    ]


def _granted(grant: Grant, place: str) -> str:
    said = {"who": grant.whom, "what": tr("everything") if grant.what == "*" else grant.what, "place": place}
    return tr("{who} may use {what}, in {place}", **said) if grant.allowed else tr("{who} may not use {what}, in {place}", **said)
