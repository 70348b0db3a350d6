"""The operator's view of the servers: who may use the bot at all, who waits to be let in, who is in, and who is banned."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nicegui import ui
from pydantic import BaseModel, Field
from starlette.requests import Request

from bot.allowing import AdmissionTable
from bot.choices import Deed
from bot.errors import BadArguments
from bot.house import Door, Order, Policy, at_door, decided
from bot.messages import Address, Message, Person
from bot.store.applicants import Applicants
from bot.store.changes import Changes
from bot.store.house import HouseRules
from bot.store.servers import Server, Servers
from bot.store.tally import Tally
from bot.translation import Phrase, later, tr
from bot.web.desk import Link, desk
from bot.web.live import Live
from bot.web.pages.server import Facts, ServerPage, ServerView
from bot.web.site import Office
from bot.web.view import View
from bot.web.visitors import OPERATOR, Visitors

WHO = Person("operator", "the operator")

MOST = 2000

EVERY = 2.0
"""Seconds between two looks, at least: all servers are read."""


class ServersView(View, component="../static/servers.js"):
    """The servers in the browser."""


class Deciding(BaseModel):
    """The operator lets a server in or refuses it, bans it or lets it in again, or has the bot leave it."""

    server: str = Field(pattern=r"^[^/]+/[^/]+$", max_length=300)
    act: Literal["admit", "refuse", "ban", "allow", "leave"]
    nonce: str = ""


class Opening(BaseModel):
    """The operator changes who may use the bot that did not before."""

    door: Door
    policy: Policy
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """What is decided for all servers, and where it is kept."""

    servers: Servers
    applicants: Applicants
    rules: HouseRules
    admission: AdmissionTable
    office: Office
    tally: Tally


class ServersPage:
    """Looks for everybody who has the page open."""

    def __init__(self, house: House, changes: Changes) -> None:
        self._house = house
        self.live = Live(self.look, changes, EVERY)

    async def look(self) -> Mapping[str, Any]:
        """All of it, as plain data."""
        house, rules = self._house, await self._house.rules.get()
        barred = rules.barred.get("server", {})
        waiting = await house.applicants.waiting()
        used = await self._used()
        left = {one.tenant: one.left for one in await house.servers.known(MOST)}
        chosen = await house.servers.chosen(MOST)
        return {
            "policies": dict(house.admission.holding(rules)),
            "waiting": [{"id": one.address.tenant, "name": one.name, "direct": one.address.direct, "at": one.at} for one in waiting],
            "servers": [
                _row(Address.of(id), chosen.get(id, Server()), used[id])
                | {"left": left.get(id, False), "banned": id in barred, "leaves": house.office.leaves(id)}
                for id in sorted({*left, *used} - ({*barred} - {*left}))
            ],
            "banned": [{"id": id, "name": word or id} for id, word in barred.items()],
            "owners": [{"id": id, "name": owner.name} for id, owner in rules.owners.items()],
        }

    async def _used(self) -> Counter[str]:
        """Requests of the last day, by server."""
        total: Counter[str] = Counter()
        for hour in await self._house.tally.day(time.time()):
            total.update({server: int(count) for server, count in hour.servers.items()})
        return total

    async def decide(self, given: Deciding) -> None:
        """From the server's next message on; what is being worked on for one that is banned is cancelled."""
        house, server = self._house, given.server
        if given.act == "leave":
            await house.office.leave(server)
            await house.applicants.decide(house.rules.noting(_deed(Phrase(later("{server}: left"), {"server": server}))))
        elif given.act in ("ban", "allow"):
            order = Order(kind="server", name=server, barred=given.act == "ban", word=server)
            await house.rules.bar(order, _deed(order.said))
            await house.office.end_work(order)
        else:
            admitted = given.act == "admit"
            applicants = house.applicants
            writes = applicants.admitting(server) if admitted else applicants.refusing(await applicants.get(server))
            await applicants.decide([*writes, *house.rules.noting(_deed(decided(server, admitted=admitted)))])
        self.live.hurry()

    async def open(self, given: Opening) -> None:
        """From the next message on; who is in stays in."""
        await self._house.rules.open(given.door, given.policy, _deed(at_door(given.door, given.policy)))
        self.live.hurry()


def _row(address: Address, server: Server, requests: int) -> dict[str, Any]:
    """One server: what it uses, and what of the rest it chose otherwise than others."""
    return {
        "id": address.tenant,
        "platform": address.connector.capitalize(),
        "name": address.server,
        "direct": address.direct,
        "requests": requests,
        "language": server.choices.talking.language,
        "quotas": len(server.quotas),
        "on": sorted(name for name, on in server.choices.plugins.items() if on),
        "off": sorted(name for name, on in server.choices.plugins.items() if not on),
    }


def _deed(what: Phrase) -> Deed:
    return Deed(time.time(), "", WHO.name, "", "", (what,))


def servers_pages(house: House, changes: Changes, visitors: Visitors, links: tuple[Link, ...]) -> None:
    """Puts the list below the operator's door, and each server's page as its admins see it behind it."""
    page = ServersPage(house, changes)

    @ui.page(f"{OPERATOR}/servers")
    async def show(request: Request) -> None:
        made = desk(ServersView(), visitors, request, "operator", links)
        made.shows(page.live)
        made.hear("decide", Deciding, page.decide)
        made.hear("open", Opening, page.open)

    @ui.page(f"{OPERATOR}/server")
    async def one(request: Request, of: str = "") -> None:
        made = desk(ServerView(), visitors, request, "operator", links)
        made.view.props["start"] = of

        async def seats() -> Mapping[str, Message]:
            return {of: Message("", "", _address(of), WHO, manages=True)}

        ServerPage(made, house.office, seats, Facts(house.tally))


def _address(server: str) -> Address:
    if server.count("/") != 1:
        raise BadArguments(tr("This is no server. Choose one from the list."))
    return Address.of(server)
