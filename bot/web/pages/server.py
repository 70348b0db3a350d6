"""The page of one server: plugins, settings, who may do what and how much. Who is let in: `desk.py`; who decides: the `Office`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nicegui import ui
from pydantic import JsonValue, ValidationError
from starlette.requests import Request

from bot.choices import Change, Changed, Chosen, Setting, Where, reaches
from bot.errors import BadArguments, Refused, StoreError
from bot.forms import Picked
from bot.messages import Address, Message
from bot.permissions import Permit
from bot.quotas import UNITS, Quota, Usage
from bot.shapes import Shape
from bot.store.tally import Tally
from bot.translation import Translation, later, reader, reading, tr, translated
from bot.web.desk import Desk, Link, desk
from bot.web.language import chosen as picked
from bot.web.pages.asked import Granting, Limiting, Opening, Saving, Stopping, Switching
from bot.web.site import Office
from bot.web.view import View
from bot.web.visitors import SERVER, Visitors

MOST_DEEDS = 50

KNOWN: tuple[Picked, ...] = ("channel", "role", "person")
"""What settings, permissions and limits pick of a server."""

CLOSED = later("Your two hours at this server's page are over: say /dashboard in your chat again.")

LINKS = (Link(SERVER, "gear", later("Your servers")),)

Seats = Callable[[], Awaitable[Mapping[str, Message]]]
"""By server: the messages that say who sits at the page. Asked anew for everything that is done."""


class ServerView(View, component="../static/server.js"):
    """A server in the browser."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is counted of a server."""

    tally: Tally

    async def day(self, server: str) -> dict[str, list[float]]:
        """Its requests, by the hour."""
        hours = await self.tally.day(time.time())
        return {"at": [hour.at for hour in hours], "requests": [hour.servers.get(server, 0.0) for hour in hours]}


class ServerPage:
    """One tab of it."""

    def __init__(self, made: Desk, office: Office, seats: Seats, facts: Facts) -> None:
        self._made = made
        self._office = office
        self._seats = seats
        self._facts = facts
        made.hear("hello", Opening, self.open)
        made.hear("switch", Switching, self.switch)
        made.hear("stop", Stopping, self.stop)
        made.hear("save", Saving, self.save)
        made.hear("permit", Granting, self.permit)
        made.hear("limit", Limiting, self.limit)

    async def open(self, given: Opening) -> None:
        """Hands all of it over."""
        seats = await self._seats()
        server = given.server or next(iter(seats), "")
        message = await self._seat(server)
        level = await self._office.level(message)
        if not reaches(level, "admin"):
            raise Refused(tr("You are a {level} of this server now, and only its admins may see its page.", level=translated(level)))
        held, deeds = await self._office.held(message), await self._office.deeds(message, MOST_DEEDS)
        known = {kind: await self._office.known(message, kind) for kind in KNOWN}
        self._made.view.take(
            "seen",
            seen={
                "servers": [{"id": id, "name": called(one.address)} for id, one in seats.items()],
                "server": server,
                "me": {"id": f"person:{message.sender.id}", "name": message.sender.name, "level": level},
                "places": places(message.address),
                "roles": [{"id": f"role:{id}", "name": name} for id, name in {**message.roles, **known["role"]}.items()],
                "people": sorted(set(known["person"].values()), key=str.casefold),
                "plugins": [plugin(one, known) for one in await self._office.chosen(message)],
                "day": await self._facts.day(server),
                "usage": [_usage(one) for one in await self._office.usage(message)],
                "quotas": [{"unit": one.unit, **one.model_dump(mode="json")} for one in await self._office.quotas(message)],
                "units": {measure: translated(unit) for measure, unit in UNITS.items()},
                "grants": [
                    *({"where": where, **grant.model_dump()} for where, grant in held.grants),
                    *({"place": place, "at": held.places.get(place, place), **grant.model_dump()} for place, grant in held.elsewhere),
                ],
                "levels": [{"who": who, "name": held.names.get(who) or who, "level": its} for who, its in held.levels.items()],
                "deeds": [{"at": one.at, "name": one.name, "plugin": one.plugin, "what": one.told} for one in deeds],
            },
        )

    async def switch(self, given: Switching) -> None:
        """As `/plugins` does, which asks about what is still under way."""
        on: bool | Literal["reset"] = "reset" if given.on is None else given.on
        chosen = await self._change(given.server, Change(plugin=given.plugin, where=given.where, on=on, seen=given.seen))
        left = 0 if chosen.on else await self._office.working(await self._seat(given.server), given.plugin, given.where)
        if left:
            self._made.view.take("left", plugin=given.plugin, where=given.where, count=left)

    async def stop(self, given: Stopping) -> None:
        """As the button of `/plugins` does."""
        stopped = await self._office.stop(await self._seat(given.server), given.plugin, given.where)
        await self.open(Opening(server=given.server))
        self._made.view.take("stopped", count=stopped)

    async def save(self, given: Saving) -> None:
        """As `/settings` does; texts become what the settings take."""
        change = Change(plugin=given.plugin, where=given.where, settings=given.settings, seen=given.seen)
        await self._change(given.server, change)

    async def permit(self, given: Granting) -> None:
        """As `/permissions` does."""
        message = await self._seat(given.server)
        try:
            permit = Permit.model_validate(given.permit | await self._about("who", given.person, message))
        except ValidationError:
            raise BadArguments(tr("Say who, and which command (/again), plugin (chat) or everything (*).")) from None
        await self._office.permit(message, permit)
        await self._done(given.server)

    async def limit(self, given: Limiting) -> None:
        """As `/quota` does."""
        message = await self._seat(given.server)
        try:
            quota = Quota.model_validate(given.quota | await self._about("whose", given.person, message))
        except ValidationError:
            raise BadArguments(tr("Say how much in which time: 20/hour, 100/day, or 1/30s for once in 30 seconds.")) from None
        await self._office.limit(message, quota)
        await self._done(given.server)

    async def _about(self, field: str, person: str, message: Message) -> dict[str, JsonValue]:
        """Whom it is about, where they were named."""
        if not person:
            return {}
        id, name = await self._office.find(message, "person", person)
        return {field: f"person:{id}", "name": name}

    async def _change(self, server: str, change: Change) -> Chosen:
        message = await self._seat(server)
        try:
            chosen = await self._office.choose(message, change)
        except Changed as error:
            await self.open(Opening(server=server))
            raise BadArguments(str(error)) from None
        await self._done(server, chosen.warnings)
        return chosen

    async def _done(self, server: str, warnings: Sequence[str] = ()) -> None:
        await self.open(Opening(server=server))
        self._made.view.take("saved", warnings=list(warnings))

    async def _seat(self, server: str) -> Message:
        found = (await self._seats()).get(server)
        if found is None:
            raise Refused(translated(CLOSED))
        return found


def places(address: Address) -> list[Where]:
    """What something can be chosen for, the widest first."""
    channel: list[Where] = ["channel"] if not address.direct and address.channel not in ("", "main") else []
    thread: list[Where] = ["thread"] if address.thread else []
    return ["server", *channel, *thread]


def called(address: Address) -> str:
    """What a server is called; its platform's name for it is not known here."""
    platform = address.connector.capitalize()
    return tr("{platform}, alone with the bot", platform=platform) if address.direct else f"{platform} {address.server}"


def plugin(chosen: Chosen, known: Mapping[Picked, Mapping[str, str]]) -> dict[str, Any]:
    """One plugin, as plain data; `known` is what the server has, by kind."""
    shape = Shape(chosen.shape)
    return {
        "name": chosen.plugin,
        "summary": chosen.summary,
        "on": chosen.on,
        "origin": chosen.origin,
        "locked": chosen.locked,
        "installed": chosen.installed,
        "trouble": chosen.trouble,
        "seen": chosen.seen,
        "settings": [_setting(shape, one, known) for one in chosen.settings] if chosen.installed else [],
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return asdict(usage) | {"unit": usage.unit, "span": usage.span}


def _setting(shape: Shape, setting: Setting, known: Mapping[Picked, Mapping[str, str]]) -> dict[str, Any]:
    option, picks = shape.option(setting.name), shape.picks(setting.name)
    there = known.get(picks, {}) if picks else {}
    now = "" if setting.value is None else str(setting.value)
    if not picks and option.choices and now not in map(str, option.choices):
        there = {str(one): str(one) for one in option.choices}  # what was chosen is there no more, or nothing is
    labels = {"": tr("nothing"), now: setting.label or now or tr("nothing"), **there} if there else {}
    return {
        "name": setting.name,
        "title": shape.title(setting.name),
        "about": shape.description(setting.name),
        "kind": "text" if picks else shape.kind(setting.name),
        "choices": list(labels or option.choices),
        "labels": labels,
        "least": option.least,
        "most": option.most,
        "value": now if labels else setting.value,
        "origin": setting.origin,
        "locked": setting.locked,
    }


async def _language(office: Office, visitors: Visitors, request: Request) -> Translation:
    """That which who opens the page has chosen there, else in their chat, else what their browser asks for."""
    if picked(request):
        return reading()
    try:
        visitor = await visitors.sessions.visitor(visitors.secret(request, "admin"))
        chosen = await office.reader(visitor.seats[0].message) if visitor is not None and visitor.seats else None
    except StoreError:  # the page says so itself
        chosen = None
    return chosen or reading()


def server_page(office: Office, facts: Facts, visitors: Visitors) -> None:
    """Puts the page where admins of servers come in, in the language that they chose on it, else in their chat, else their browser's."""

    @ui.page(SERVER)
    async def show(request: Request) -> None:
        with reader(await _language(office, visitors, request)):
            made = desk(ServerView(), visitors, request, "admin", LINKS)

            async def seats() -> Mapping[str, Message]:
                visitor = await made.visitor()
                tenants = dict.fromkeys(seat.message.address.tenant for seat in visitor.seats)
                return {tenant: message for tenant in tenants if (message := visitor.seat(tenant)) is not None}

            ServerPage(made, office, seats, facts)
