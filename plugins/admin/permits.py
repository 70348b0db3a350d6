"""`/permissions`: who may do what here, and buttons and words that change it. What is decided by it: the core."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from bot import (
    Action,
    BadArguments,
    Button,
    Choice,
    Command,
    Context,
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
from plugins.admin.places import named

LEVELS = ("guest", "member", "moderator", "admin")

PERSON = re.compile(r"<@!?(?P<id>\d+)>")
ROLE = re.compile(r"<@&(?P<id>\d+)>")

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
        Action("taken", Taken, taken),
    ]


async def permissions(ctx: Context, args: PermissionsArgs) -> Reply:
    """What holds, or what is to hold from now on."""
    words = [*args.do.split(), *filter(None, (args.what, args.who, args.level))]
    if not words:
        return panel(ctx, await ctx.permissions.held())
    match words:
        case ["allow" | "deny" | "forget" as do, what, *who]:
            whom, name = grantee(ctx, " ".join(who))
            allowed = {"allow": True, "deny": False, "forget": None}[do]
            permit = _permit(who=whom, what=what, allowed=allowed, name=name, where=args.where)
        case ["make", *who, level]:
            whom, name = grantee(ctx, " ".join(who))
            permit = _permit(who=whom, level=level, name=name)
        case _:
            raise BadArguments(translated(USAGE))
    return panel(ctx, await ctx.permissions.permit(permit), tr("Saved."))


def _permit(**fields: object) -> Permit:
    try:
        return Permit.model_validate(fields)
    except ValueError:
        raise BadArguments(translated(USAGE)) from None


def grantee(ctx: Context, words: str) -> tuple[str, str]:
    """Whom the words mean, and what people call them. Raises BadArguments."""
    message = ctx.message
    people = [person for person in message.mentions if person.id != message.me]
    if words in LEVELS:
        return f"level:{words}", ""
    if words in ("everyone", "everybody"):
        return "everyone", ""
    if words == "me":
        return f"person:{ctx.person.id}", ctx.person.name
    if found := ROLE.fullmatch(words):
        return f"role:{found['id']}", message.roles.get(found["id"], words)
    if found := PERSON.fullmatch(words):
        named = next((person.name for person in people if person.id == found["id"]), words)
        return f"person:{found['id']}", named
    if words.startswith("role:"):
        name = words.removeprefix("role:").strip()
        return f"role:{next((id for id, one in message.roles.items() if one.casefold() == name.casefold()), name)}", name
    if len(people) == 1:
        return f"person:{people[0].id}", people[0].name
    if not words and message.reply_to is not None and message.reply_to.sender.id != message.me:
        return f"person:{message.reply_to.sender.id}", message.reply_to.sender.name
    raise BadArguments(translated(USAGE))


async def taken(ctx: Context, args: Taken) -> Reply:
    """Takes a grant or a level back."""
    held = await ctx.permissions.held()
    grants = {_key(where, one.who, one.what): Permit(who=one.who, what=one.what, where=where, name=one.name) for where, one in held.grants}
    ranks = {_key("server", who, "level"): Permit(who=who, level="none", name=held.names.get(who, "")) for who in held.levels}
    permit = (grants | ranks).get(args.which)
    if permit is None:
        return panel(ctx, held, tr("That is not there any more."))
    return panel(ctx, await ctx.permissions.permit(permit), tr("Taken back."))


def _key(where: Where, who: str, what: str) -> str:
    return f"{where} {what} {who}"


def panel(ctx: Context, held: Held, said: str = "") -> Reply:
    """Everything that holds here, with a menu to take it back and words to add to it."""
    grants = [(_key(where, one.who, one.what), _granted(where, one)) for where, one in held.grants]
    ranks = [
        (_key("server", who, "level"), tr("{who} is {level} here", who=held.names.get(who) or who, level=translated(level)))
        for who, level in held.levels.items()
    ]
    lines = [said, f"**{tr('Who may do what here')}**", *(f"- {text}" for _, text in [*grants, *ranks])]
    if not grants and not ranks:
        lines.append(tr("What the platform says: whoever manages this server is its admin, and everybody may use what is on."))
    if not reaches(ctx.level, "admin"):
        return Reply("\n".join(filter(None, lines)), instead=True)
    return Reply("\n".join([*filter(None, lines), "", translated(USAGE)]), buttons=_menu([*grants, *ranks]), instead=True)


def _granted(where: Where, grant: Grant) -> str:
    said = {"who": grant.whom, "what": tr("everything") if grant.what == "*" else grant.what, "place": named(where)}
    return tr("{who} may use {what}, in {place}", **said) if grant.allowed else tr("{who} may not use {what}, in {place}", **said)


def _menu(held: Sequence[tuple[str, str]]) -> list[Button | Select]:
    if not held:
        return []
    return [Select("taken", "which", tuple(Choice(text[:100], key) for key, text in held[:25]), placeholder=tr("Take something back"))]
