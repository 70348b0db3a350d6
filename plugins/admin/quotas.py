"""`/quota`: what somebody has used of what they may, and how much that is. Who decides what: the core."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from bot import Action, BadArguments, Choice, Command, Context, Quota, Reply, Route, Select, Usage, later, reaches, tr, translated
from plugins.admin.menus import menus
from plugins.admin.people import grantee

USAGE = later(
    "Say `/quota WHAT RATE WHO`. WHAT is messages, images, audio (minutes) or device (seconds); RATE is `20/hour`, `100/day`, `1/30s`, "
    "several with commas, or `none`; WHO is `everyone` (each person), `role:NAME`, a mention, or `server` (all together)."
)

FREE = later("Nothing is counted for you here.")


class QuotaArgs(BaseModel):
    """What `/quota` takes."""

    model_config = ConfigDict(extra="forbid")

    what: str = Field(default="", max_length=300, description="messages, images, audio or device; empty shows what you have used.")
    rate: str = Field(default="", max_length=60, description="How much: 20/hour, 100/day, 1/30s, or none.")
    who: str = Field(default="", max_length=120, description="everyone, role:NAME, a mention, or server.")


class Lifted(BaseModel):
    """Which of the limits that the person saw a menu takes back."""

    model_config = ConfigDict(frozen=True)

    which: str


def routes() -> Iterable[Route]:
    """The command and its menu."""
    return [
        Command("quota", "See how much you have used, and how much you may.", QuotaArgs, quota, example="/quota images 10/hour everyone"),
        Action("lifted", Lifted, lifted),
    ]


async def quota(ctx: Context, args: QuotaArgs) -> Reply:
    """One's own use, or what is to hold from now on."""
    words = [*args.what.split(), *args.rate.split(), *args.who.split()]
    if not words:
        return await panel(ctx)
    match words:
        case ["messages" | "images" | "audio" | "device" as measure, rate, *who]:
            whose, name = await _whose(ctx, " ".join(who))
            rates = [] if rate == "none" else [one for one in rate.split(",") if one]
            return await _limited(ctx, measure=measure, rates=rates, whose=whose, name=name)
        case _:
            raise BadArguments(translated(USAGE))


async def _whose(ctx: Context, words: str) -> tuple[str, str]:
    if words == "server":
        return "server", ""
    whose, name = await grantee(ctx, words or "everyone", translated(USAGE))
    if whose.startswith("level:"):
        raise BadArguments(translated(USAGE))
    return whose, name


async def _limited(ctx: Context, **fields: object) -> Reply:
    try:
        wanted = Quota.model_validate(fields)
    except ValueError:
        raise BadArguments(translated(USAGE)) from None
    await ctx.quotas.limit(wanted)
    return await panel(ctx, tr("Saved."))


async def lifted(ctx: Context, args: Lifted) -> Reply:
    """Takes a limit back."""
    found = next((one for one in await ctx.quotas.chosen() if _key(one) == args.which), None)
    if found is None:
        return await panel(ctx, tr("That is not there any more."))
    await ctx.quotas.limit(found.model_copy(update={"rates": ()}))
    return await panel(ctx, tr("Taken back."))


async def panel(ctx: Context, said: str = "") -> Reply:
    """What the person has used; admins see what was chosen, too, and how to change it."""
    used = [f"- {line(one)}" for one in await ctx.quotas.usage()]
    lines = [said, f"**{tr('What you have used here')}**", *(used or [translated(FREE)])]
    if not reaches(ctx.level, "admin"):
        return Reply("\n".join(filter(None, lines)), private=True)
    chosen = await ctx.quotas.chosen()
    limits = [f"**{tr('What this server chose')}**", *(f"- {_said(one)}" for one in chosen)] if chosen else []
    return Reply("\n".join([*filter(None, lines), *limits, "", translated(USAGE)]), buttons=_menus(chosen), private=True)


def line(usage: Usage) -> str:
    """One limit: what is used of it, when all of it is there again, and who has decided it."""
    facts = {"used": f"{usage.used:.4g}", "most": f"{usage.limit:g}", "unit": usage.unit, "span": usage.span}
    if usage.shared:
        used = tr("This server: {used} of {most} {unit} in {span}.", **facts)
    elif usage.everywhere:
        used = tr("You, in all servers together: {used} of {most} {unit} in {span}.", **facts)
    else:
        used = tr("You: {used} of {most} {unit} in {span}.", **facts)
    again = tr("All of it is there again in {wait}.", wait=_wait(usage.refills)) if usage.used else ""
    by = tr("Whoever runs me decides that.") if usage.fixed else tr("An admin of this server can change that with /quota.")
    return " ".join(filter(None, (used, again, by)))


def _wait(seconds: float) -> str:
    if seconds >= 5400:
        return tr("{n} hour", "{n} hours", n=round(seconds / 3600))
    if seconds >= 90:
        return tr("{n} minute", "{n} minutes", n=round(seconds / 60))
    return tr("{n} second", "{n} seconds", n=max(round(seconds), 1))


def _said(chosen: Quota) -> str:
    return f"{chosen.whom}: {', '.join(chosen.rates)} {chosen.unit}"


def _key(chosen: Quota) -> str:
    return f"{chosen.measure} {chosen.whose}"


def _menus(chosen: Sequence[Quota]) -> list[Select]:
    choices = [Choice(tr("Take back: {what}", what=_said(one))[:100], _key(one)) for one in chosen]
    return menus("lifted", "which", choices, tr("Take something back"))
