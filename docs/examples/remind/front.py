"""`/remind`, `/reminders` and `/zone`: what a person wants to be reminded of, where they said so. When that is: `times.py`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, Field

from bot import Action, Button, Command, Context, NoArgs, Reply, Route, Schedule, UserError, hookimpl

from .settings import Settings
from .times import HOW, after, read, split

MOST = 25
"""Reminders that a person may have."""


class Remind(BaseModel):
    """What the command takes."""

    about: str = Field(min_length=1, max_length=300, description="What of, and when: tea in 10 minutes.")
    when: str = Field(default="", max_length=40, description="When, if it does not stand behind it.")


class Zone(BaseModel):
    """What a person says of where they are."""

    zone: str = Field(description="Such as Europe/Lisbon.")


class Due(BaseModel):
    """One reminder; `clock` is what the zone's clock shows when it comes again."""

    id: str
    about: str
    at: datetime
    every: str = ""
    clock: time = time()
    zone: str = "UTC"
    firing: str = ""


class Kept(BaseModel):
    """All of a person's."""

    due: list[Due] = []


class Plugin:
    """Hobnob makes one. It keeps nothing itself: schedules and what people want lie in the store, and survive every restart."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Those that change the list run one after the other."""
        return [
            Command("remind", "Be reminded of something.", Remind, self.remind, ordered=True, example="/remind tea in 10 minutes"),
            Command("reminders", "See what you will be reminded of.", NoArgs, self.reminders),
            Command("zone", "Say in which time zone you are.", Zone, self.zone),
            Action("forget", Due, self.forget, ordered=True),
            Schedule("due", Due, self.due, ordered=True),
        ]

    async def remind(self, ctx: Context, args: Remind) -> Reply:
        """Writes it down, and says when that will be."""
        about, when = (args.about.strip(), args.when) if args.when else split(args.about)
        if not about:
            raise UserError(f"Please say what of, and {HOW}.")
        kept = await ctx.store.get(Kept, "person") or Kept()
        if len(kept.due) >= MOST:
            raise UserError(f"You have {MOST} reminders already. `/reminders` shows them, with a button to forget each.")
        zone = await _zone(ctx)
        try:
            found = read(when, ctx.now, zone)
        except ValueError as error:
            raise UserError(f"Please {error}." if str(error) == HOW else f"I cannot remind you then: {error}.") from None
        id = f"{ctx.random.getrandbits(40):010x}"
        due = Due(id=id, about=about, at=found.at, every=found.every, clock=found.at.astimezone(zone).time(), zone=zone.key)
        due = await _scheduled(ctx, due)
        await ctx.store.put(Kept(due=[*kept.due, due]), "person")
        return Reply(f"I will say so: {_shown(due)}.", buttons=[Button("Forget it", "forget", due.model_dump(mode="json"))])

    async def due(self, ctx: Context, args: Due) -> Reply | None:
        """Says it, and plans the next time of one that comes again."""
        kept = await ctx.store.get(Kept, "person") or Kept()
        if args.id not in {one.id for one in kept.due}:
            return None
        others = [one for one in kept.due if one.id != args.id]
        again = []
        if args.every:
            at = after(args.every, args.clock, ctx.now, ZoneInfo(args.zone))
            again = [await _scheduled(ctx, args.model_copy(update={"at": at}))]
        await ctx.store.put(Kept(due=others + again), "person")
        return Reply(f"{ctx.person.name}: {args.about}")

    async def reminders(self, ctx: Context, args: NoArgs) -> Reply:
        """For the person alone."""
        kept = await ctx.store.get(Kept, "person") or Kept()
        if not kept.due:
            return Reply("There is nothing that I would remind you of.", private=True)
        due = sorted(kept.due, key=lambda one: one.at)
        buttons = [Button(f"Forget {number}", "forget", one.model_dump(mode="json")) for number, one in enumerate(due, 1)]
        return Reply("\n".join(f"{number}. {_shown(one)}" for number, one in enumerate(due, 1)), buttons=buttons, private=True)

    async def forget(self, ctx: Context, args: Due) -> Reply:
        """Only a person's own: the list is theirs, whoever clicks."""
        kept = await ctx.store.get(Kept, "person") or Kept()
        found = next((one for one in kept.due if one.id == args.id), None)
        if found is None:
            raise UserError("That is no reminder of yours, or it is over.")
        await ctx.unschedule(found.firing)
        await ctx.store.put(Kept(due=[one for one in kept.due if one.id != args.id]), "person")
        return Reply(f"Forgotten: {args.about}.", private=True)

    async def zone(self, ctx: Context, args: Zone) -> Reply:
        """From now on; reminders that are there stay at their time."""
        known = {name.lower(): name for name in available_timezones()}
        if args.zone.strip().lower() not in known:
            raise UserError("I do not know this time zone. Its name is that of a large city nearby: Europe/Lisbon, America/Sao_Paulo.")
        zone = known[args.zone.strip().lower()]
        await ctx.store.put(Zone(zone=zone), "person", "zone")
        return Reply(f"Your clock shows {ctx.now.astimezone(ZoneInfo(zone)):%H:%M}.", private=True)


async def _scheduled(ctx: Context, due: Due) -> Due:
    firing = await ctx.schedule("due", due, due.at)
    return due.model_copy(update={"firing": firing})


async def _zone(ctx: Context) -> ZoneInfo:
    settings: Settings = ctx.settings
    said = await ctx.store.get(Zone, "person", "zone")
    return ZoneInfo(said.zone if said else settings.zone)


def _shown(due: Due) -> str:
    at = due.at.astimezone(ZoneInfo(due.zone))
    when = f"every {due.every} at {at:%H:%M}" if due.every else f"on {at:%A, %d %B %Y at %H:%M}"
    return f"{due.about}, {when} ({due.zone})"
