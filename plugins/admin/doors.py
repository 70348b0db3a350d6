"""Who may use the bot at all, as owners see and change it in `/house`. Who and what is shut out: `owners.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from pydantic import BaseModel, ConfigDict

from bot import Action, Admission, Applicant, Button, Choice, Context, Door, Policy, Reply, Route, Select, at_door, tr
from plugins.admin.menus import MOST

POLICIES: tuple[Policy, ...] = get_args(Policy)


class Opened(BaseModel):
    """What is to hold at a door."""

    model_config = ConfigDict(frozen=True)

    door: Door
    policy: Policy


class Decided(BaseModel):
    """Whom a menu decides about."""

    model_config = ConfigDict(frozen=True)

    server: str
    admitted: bool


def routes() -> Iterable[Route]:
    """What the menus do."""
    return [Action("door", Opened, opened), Action("decided", Decided, decided)]


async def opened(ctx: Context, args: Opened) -> Reply:
    """Changes what holds at a door; who is in stays in."""
    return panel(await ctx.house.open(args.door, args.policy))


async def decided(ctx: Context, args: Decided) -> Reply:
    """Lets one in that waits, or leaves it."""
    return panel(await ctx.house.admit(args.server, args.admitted))


def panel(admission: Admission) -> Reply:
    """What holds, and who waits."""
    return Reply("\n".join(lines(admission)), buttons=menus(admission), private=True, instead=True)


def lines(admission: Admission) -> list[str]:
    """The same in words."""
    holds = [f"{at_door(door, policy)}." for door, policy in admission.policies.items()]
    waiting = [f"- {tr('{name} waits to be let in', name=_name(one))}" for one in admission.waiting]
    return [*holds, *waiting, *([_beyond(admission)] if len(admission.waiting) > MOST else [])]


def _beyond(admission: Admission) -> str:
    """Who waits and stands in no menu: below one message there is room for no more."""
    return tr(
        "The menus have the {some} of these {all} who wait longest, and the next once you have decided. All of them: "
        "the page of servers, or `hobnob servers`.",
        some=MOST,
        all=len(admission.waiting),
    )


def menus(admission: Admission) -> list[Button | Select]:
    """What is to hold at each door, and what becomes of those who wait."""
    doors: list[Button | Select] = [
        Select(
            "door",
            "policy",
            tuple(Choice(str(at_door(door, one)), one, chosen=one == policy) for one in POLICIES),
            {"door": door},
        )
        for door, policy in admission.policies.items()
    ]
    if not admission.waiting:
        return doors
    return [*doors, _deciding(tr("Let in"), admission, admitted=True), _deciding(tr("Refuse, and leave"), admission, admitted=False)]


def _deciding(words: str, admission: Admission, *, admitted: bool) -> Select:
    """Each choice says what it does: where a platform has no menus, it stands alone."""
    waiting = tuple(Choice(f"{words}: {_name(one)}"[:100], one.address.tenant) for one in admission.waiting[:MOST])
    return Select("decided", "server", waiting, {"admitted": admitted}, words)


def _name(applicant: Applicant) -> str:
    return f"{applicant.name} ({applicant.address.tenant})"
