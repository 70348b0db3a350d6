"""Who may use the bot at all: what a server hears that was not let in, who is asked, and what follows. Where it holds: `gate.py`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from pydantic import BaseModel, ConfigDict

from bot.choices import CORE
from bot.connector import Connector, Departing
from bot.context import Context
from bot.errors import ConnectorError, UserError
from bot.forms import Button
from bot.house import Admission, Applicant, Door, Owner, Policy, decided
from bot.membership import Joined
from bot.messages import Address, Called, Clicked, Message, Person, Said
from bot.replies import Reply
from bot.router.addressing import addressed
from bot.router.gate import Gate, View
from bot.router.ruling import Keep, Ruling
from bot.router.saying import told
from bot.router.table import Entry, Table
from bot.router.welcoming import hello
from bot.routes import Action, NoArgs, Schedule
from bot.store.applicants import Applicants
from bot.store.tickets import Body, Write
from bot.translation import later, tr, translated

ASKED_FOR = 86_400.0
"""Seconds in which whoever could not be asked is asked again; the tickets see to it that nobody hears anything twice."""

UNCLAIMED = later(
    "I belong to nobody yet. Whoever runs me says `/claim CODE` here, with the code that `hobnob run` or `hobnob claim` prints, and from "
    "then on I work here."
)
UNOWNED = later("I do not work here yet. Whoever runs me lets me in with `hobnob servers admit {server}`.")
KNOCKED = later("I do not work in this server yet. I have asked whoever runs me, and say hello as soon as I may.")
ALONE = later("I do not know you yet. I have asked whoever runs me, and say hello as soon as I may.")
CLOSED = later("I work for those alone whom whoever runs me has chosen, and this server is not one of them.")
NOBODY = later("I work for those alone whom whoever runs me has chosen.")
HELLO = later("Hello. From now on I answer what you write to me here.")

log = structlog.get_logger(__name__)

Say = Callable[[Address, str, str], Awaitable[None]]


class Applying(BaseModel):
    """Which server a button is about."""

    model_config = ConfigDict(frozen=True)

    server: str


@dataclass(frozen=True, slots=True)
class Admitting:
    """Asks owners, and does what they decide.

    `everywhere` are the commands that need nobody's leave; `changed` is called with a message of a server where the bot may do more now.
    """

    applicants: Applicants
    ruling: Ruling
    gate: Gate
    table: Table
    everywhere: frozenset[str]
    connectors: Mapping[str, Connector]
    say: Say
    changed: Callable[[Message], None]

    async def heard(self, message: Message, view: View) -> list[Body]:
        """What becomes of a message where the bot was not let in: one sentence for whoever speaks to it, and a question to the owners."""
        match message.trigger:
            case Said():
                speaks = addressed(message, view.talking(message.address))
            case Called(shared=shared):
                speaks = not shared or addressed(message, view.talking(message.address))
            case trigger:
                speaks = isinstance(trigger, Clicked)
        return await self._asked(message, view) if speaks else []

    def passes(self, message: Message) -> bool:
        """Whether it is a command that works everywhere."""
        return isinstance(message.trigger, Called) and message.trigger.command in self.everywhere

    async def joined(self, message: Message, joined: Joined, view: View) -> list[Body]:
        """The same where the bot has just come to; where nobody new is let in, it goes again."""
        if not joined.new:
            return []
        refused = (await self.applicants.get(message.address.tenant)).refused
        if refused or view.policy(message.address) == "closed":
            return [Body(plugin=CORE, route="schedule:decline", version="", message=message)]
        return await self._asked(message, view)

    async def _asked(self, message: Message, view: View) -> list[Body]:
        now = time.time()
        applicant = await self.applicants.apply(_applicant(message, now))
        again = now - applicant.at > ASKED_FOR or applicant.refused
        event = message.event if message.via else f"applicant:{message.address.tenant}:{applicant.at}"  # a click wants an answer each time
        closed = applicant.refused or view.policy(message.address) == "closed"
        answer = told(replace(message, event=event), self._words(message.address, view, closed))
        if again:
            return [answer] if message.via else []
        return [answer, *(() if closed else self._questions(applicant, view.owners))]

    def _words(self, address: Address, view: View, closed: bool) -> str:
        if closed:
            return translated(NOBODY if address.direct else CLOSED)
        if not view.owners:
            return translated(UNCLAIMED) if self.everywhere else translated(UNOWNED, server=address.tenant)
        return translated(ALONE if address.direct else KNOCKED)

    def _questions(self, applicant: Applicant, owners: Mapping[str, Owner]) -> Iterator[Body]:
        for id, owner in owners.items():
            if owner.address.connector in self.connectors:
                event = f"applicant:{applicant.address.tenant}:{applicant.at}:{id}"
                message = Message("", event, owner.address, Person("", ""))
                args = applicant.model_dump(mode="json")
                yield Body(plugin=CORE, route="schedule:applicant", version="", message=message, args=args)

    def entries(self) -> Sequence[Entry]:
        """The core's own routes."""
        routes = (
            Schedule("applicant", Applicant, self.ask),
            Schedule("decline", NoArgs, self.decline),
            Action("admit", Applying, self.approve),
            Action("refuse", Applying, self.refuse),
        )
        return [Entry(CORE, route) for route in routes]

    async def ask(self, ctx: Context, args: Applicant) -> Reply:
        """The question to an owner."""
        server = {"server": args.address.tenant}
        no = tr("Refuse") if args.address.direct else tr("Leave")
        return Reply(introduced(args), buttons=[Button(tr("Approve"), "admit", server), Button(no, "refuse", server)])

    async def decline(self, ctx: Context, args: NoArgs) -> None:
        """Says why, and goes."""
        await ctx.reply(translated(CLOSED))
        await self._leave(ctx.address)

    async def approve(self, ctx: Context, args: Applying) -> Reply:
        """Lets a server in; the question becomes the answer."""
        await ctx.house.admit(args.server)
        return Reply(tr("{server} is let in. I have said hello there.", server=args.server), instead=True)

    async def refuse(self, ctx: Context, args: Applying) -> Reply:
        """Leaves it."""
        await ctx.house.admit(args.server, admitted=False)
        return Reply(tr("{server} is not let in, and I say nothing more there.", server=args.server), instead=True)

    async def admission(self, message: Message) -> Admission:
        """What holds, for an owner."""
        rules = await self.ruling.rules(message)
        return Admission(policies=self.gate.terms.allowed.admission.holding(rules), waiting=tuple(await self.applicants.waiting()))

    async def open(self, message: Message, door: Door, policy: Policy, keep: Keep) -> None:
        """Changes it."""
        await self.ruling.open(message, door, policy, keep)

    async def decide(self, message: Message, server: str, admitted: bool, keep: Keep) -> Applicant:
        """Lets a server in or keeps it out; what it was. Raises Refused for who is no owner, UserError for what is no server's name."""
        await self.ruling.rules(message)
        if len([word for word in server.split("/") if word]) != 2:
            raise UserError(tr("“{name}” names no server: expected CONNECTOR/ID, as `/house` shows it.", name=server))
        applicant = await self.applicants.get(server)
        writes = self.applicants.admitting(server) if admitted else self.applicants.refusing(applicant)
        writes += self.ruling.noting(message, decided(server, admitted=admitted))
        await keep(applicant.model_dump_json().encode(), writes)
        self.gate.forget(applicant.address)
        return applicant

    async def follow_up(self, applicant: Applicant, admitted: bool) -> None:
        """What a server notices of it; a second time nothing."""
        place = applicant.address
        if not admitted:
            await self._leave(place)
            return
        self.changed(Message("", "", place, Person("", ""), me=applicant.me))
        if place.channel:
            view = await self.gate.view(place)
            words = translated(HELLO) if place.direct else hello(self.table, view, place)
            await self.say(place, f"admitted:{place.tenant}:{applicant.at}", words)

    async def _leave(self, place: Address) -> None:
        connector = self.connectors.get(place.connector)
        if isinstance(connector, Departing) and not place.direct:
            try:
                await connector.leave(place.server)
            except ConnectorError as error:  # it is silent there all the same
                log.warning("a server could not be left", server=place.tenant, fault=str(error))

    def admitting(self, server: str) -> list[Write]:
        """The writes that let a server in."""
        return self.applicants.admitting(server)

    async def note(self, address: Address) -> None:
        """Whoever came in through an open door stays in."""
        await self.applicants.note(address.tenant)
        self.gate.forget(address)


def _applicant(message: Message, now: float) -> Applicant:
    address = message.address
    name = message.sender.name if address.direct else message.place
    return Applicant(address=address, name=name or address.tenant, me=message.me, at=now)


def introduced(applicant: Applicant) -> str:
    """Who waits, in a sentence."""
    address = applicant.address
    if address.direct:
        return tr("{name} ({id}) wants to talk with me alone.", name=applicant.name, id=address.tenant)
    return tr("The server {name} ({id}) wants me to work there.", name=applicant.name, id=address.tenant)
