"""From a message to its tickets: match, gate, arguments, accept. Running a ticket: `runner.py`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import structlog

from bot.choices import CORE
from bot.errors import BadArguments, ConnectorError
from bot.forms import Form
from bot.messages import Address, Called, Clicked, Deleted, Fired, Message, Person, Said, Typing
from bot.plugins import Plugins
from bot.router.addressing import addressed, follows, heard
from bot.router.admitting import Admitting
from bot.router.asking import question, resumed
from bot.router.clicking import StatusButtons
from bot.router.completing import Suggestions
from bot.router.desk import Desk
from bot.router.explaining import Explaining
from bot.router.filling import Forms
from bot.router.finding import Finder
from bot.router.gate import Gate, View
from bot.router.lateness import TOLD, Lateness
from bot.router.matching import Match, Unmatched, arguments_of, edited, leaves, once
from bot.router.metering import Meters
from bot.router.publishing import Publishing
from bot.router.ranking import Ranking
from bot.router.readers import Readers
from bot.router.remembering import followed
from bot.router.residence import Decide, Residence, Residing
from bot.router.saying import TOLD_ROUTE, told
from bot.router.table import Table
from bot.router.threads import Threads
from bot.routes import Command
from bot.store.conversations import Conversations
from bot.store.edits import origin
from bot.store.quotas import Exhausted
from bot.store.tickets import DELETED, Body, Decided, StaleSettings, Supposed, Ticket, ticket_id
from bot.translation import reader, tr, translated

log = structlog.get_logger(__name__)


class Dispatch:
    """Takes arrivals from the connectors. `start` runs a ticket and returns at once; `lacks` is `Finder.lacks`."""

    def __init__(
        self,
        table: Table,
        plugins: Plugins,
        gate: Gate,
        desk: Desk,
        finder: Finder,
        conversations: Conversations,
        start: Callable[[Ticket], None],
        buttons: StatusButtons,
        clock: Callable[[], float],
        lateness: Lateness,
        publishing: Publishing,
        threads: Threads,
        forms: Forms,
        suggestions: Suggestions,
        residence: Residence,
        admitting: Admitting,
        readers: Readers,
        meters: Meters,
        explaining: Explaining,
        ranking: Ranking,
    ) -> None:
        self._table = table
        self._plugins = plugins
        self._gate = gate
        self._desk = desk
        self._finder = finder
        self.lacks = finder.lacks
        self._conversations = conversations
        self._start = start
        self._buttons = buttons
        self._clock = clock
        self._lateness = lateness
        self._publishing = publishing
        self._threads = threads
        self._forms = forms
        self._suggestions = suggestions
        self._residence = residence
        self._admitting = admitting
        self._readers = readers
        self._meters = meters
        self._explaining = explaining
        self._ranking = ranking

    async def deliver(self, message: Message) -> None:
        """Returns once the tickets are written. Raises StoreError when they could not be."""
        if isinstance(message.trigger, Residing):
            await self._residence.changed(message, message.trigger, self._accept)
            return
        if isinstance(message.trigger, Typing):
            await self._suggestions.give(message, message.trigger)
            return
        if not heard(message) or self._lateness.worthless(message) or await self._taken(message):
            return
        message = await self._forms.resumed(resumed(message))
        await self._accept(message, self._spoken)

    async def _spoken(self, message: Message, view: View) -> list[Body]:
        """What becomes of it where these choices hold."""
        if view.shut_out(message):
            if await self._gate.outdated(message.address):
                raise StaleSettings
            return []
        if not (view.admits(message) or self._admitting.passes(message)):
            if await self._gate.outdated(message.address):
                raise StaleSettings
            return await self._admitting.heard(message, view)
        talking = view.talking(message.address)
        if addressed(message, talking) is not message.addressed:
            message = replace(message, addressed=not message.addressed)
        if self._lateness.late(message):
            return await self._late_bodies(message, view)
        if message.addressed and talking.threads:
            message = await self._threads.opened(message)
        if isinstance(message.trigger, Said | Deleted) and await self._withdrawn(message, message.trigger):
            return []
        bodies = await self._bodies(message, view)
        if not bodies and await self._gate.outdated(message.address):  # no ticket, so no script that would have noticed
            raise StaleSettings
        if bodies and view.unnoted(message.address):
            await self._admitting.note(message.address)
        return [followed(message, talking.retention), *bodies] if follows(message, talking) else bodies

    async def _taken(self, message: Message) -> bool:
        """Whether what was found in a chat's history had been received all the same."""
        if not isinstance(message.trigger, Said) or not message.trigger.found:
            return False
        routes = [*self._table.known, (CORE, TOLD_ROUTE)]
        return await self._desk.known([ticket_id(message.address.connector, message.event, *route) for route in routes])

    async def say(self, address: Address, event: str, words: str) -> None:
        """Says something of its own accord, once for the same event."""

        async def said(message: Message, view: View) -> list[Body]:
            return [told(message, words)]

        await self._accept(Message("", event, address, Person("", "")), said)

    async def again(self, body: Body, id: str) -> None:
        """Asks anew what a ticket that has ended asked: a ticket of its own for the same route, as gate and settings see it today.

        `id` is why: for the same one there is never a second ticket.
        """
        message = replace(body.message, event=f"{body.message.event}>{id}")

        async def bodies(message: Message, view: View) -> list[Body]:
            entry = self._table.find(body.plugin, body.route)
            if view.shut_out(message) or not view.admits(message):
                return []
            if entry is None:
                return [told(message, tr("I was going to try this again, but I no longer know how."))]
            return list(self._gated(message, [Match(entry, dict(body.args), asked=True)], view))

        await self._accept(message, bodies)

    async def _accept(self, message: Message, decide: Decide) -> None:
        while True:
            view = await self._gate.view(message.address)
            settled, supposed = await self._readers.settled(message, view)
            try:
                with reader(self._readers.of(settled)):
                    bodies = await decide(settled, view)
                    bodies, tickets = await self._written(settled, bodies, view, supposed) if bodies else ([], [])
            except StaleSettings:
                self._gate.forget(message.address)
                self._readers.forget(message)
                self._publishing.changed(message)
                continue
            except Decided:
                return
            self._explaining.seen(message, view, bodies)
            for ticket in tickets:
                self._start(ticket)
            return

    async def _written(
        self, message: Message, bodies: list[Body], view: View, supposed: Supposed | None
    ) -> tuple[list[Body], list[Ticket]]:
        """These with their tickets; where somebody has used up what they may, one that says so in place of those that are counted."""
        charge = self._meters.message(view, bodies)
        try:
            return bodies, await self._desk.accept(bodies, view.version, self._clock(), charge, supposed, event=message.event)
        except Exhausted as over:
            left = [*(body for body in bodies if body.id not in charge.of), self._meters.refused(message, over)]
            return left, await self._desk.accept(left, view.version, self._clock(), supposed=supposed, event=message.event)

    async def _withdrawn(self, message: Message, newer: Said | Deleted) -> bool:
        """What was said before is said no more: whatever still works on it stops, and no turn of it stays. True where this is, too.

        What a connector says is replaced is what it has heard last itself: others may have heard later ones, and it this one before.
        """
        if newer.replaces in ("", message.event):
            return False
        heard = await self._desk.heard(message, newer.version if isinstance(newer, Said) else DELETED)
        older = itertools.product((heard.older | {newer.replaces}) - heard.newer, self._table.listeners)
        for id in await self._desk.unended([ticket_id(message.address.connector, event, to.plugin, to.id) for event, to in older]):
            await self._buttons.withdraw(id)
        if not (heard.newer or heard.decided):  # else turns of this message are what came of it, or of a newer version
            said = origin(message)
            for place in {said, replace(said, thread=said.thread or message.id)}:  # and in the thread that it may have begun
                await self._conversations.forget(place.conversation, message.id, branch=isinstance(newer, Said))
        return bool(heard.newer)

    async def _late_bodies(self, message: Message, view: View) -> list[Body]:
        """Nobody who spoke to the bot is answered now, which each chat is told once; what a server wants of every message is done."""
        if edited(message):
            return []
        called = isinstance(message.trigger, Called)
        notice = [told(self._lateness.notice(message), translated(TOLD))] if message.addressed or called else []
        return notice + ([] if called else await self._bodies(replace(message, addressed=False), view))

    async def _bodies(self, message: Message, view: View) -> list[Body]:
        try:
            matches = await self._finder.matches(message)
        except Unmatched as wrong:
            return [told(message, f"{wrong}{self._offer(message, view)}")]
        if not matches:
            return []
        if any(view.allows(match.entry.plugin, message.address) for match in matches):
            message = await self._ranking.placed(message, view)
        refusal = self._plugins.admit((name for name in self._plugins.loaded if view.allows(name, message.address)), message)
        if refusal is not None:
            return [told(message, refusal.text)] if refusal.text else []
        bodies = list(self._gated(message, matches, view))
        form = next((match.form for match in matches if match.form is not None), None)
        if form is None or any(body.refusal is not None for body in bodies):
            return bodies
        return await self._asked(message, form)

    async def _asked(self, message: Message, form: Form) -> list[Body]:
        """What becomes of a click that opens a form: nothing, before it is filled in."""
        assert isinstance(message.trigger, Clicked)
        try:
            asked = await self._forms.opened(message, form, message.trigger.button)
        except ConnectorError as error:
            log.warning("a form could not be opened", server=message.address.tenant, fault=str(error))
            asked = tr("This could not be opened. Please press the button again.")
            return [told(message, asked)]
        return [told(message, asked, asks=True)] if asked else []

    def _gated(self, message: Message, matches: list[Match], view: View) -> Iterator[Body]:
        staying = [match for match in matches if not leaves(match.entry, message)]
        if len(staying) < len(matches) and not any(view.may(match.entry.plugin, _command(match), message) for match in staying):
            staying = matches
        for match in staying:
            plugin = match.entry.plugin
            if not view.allows(plugin, message.address):
                if match.asked:
                    yield told(message, view.off(plugin))
                continue
            if refusal := view.refusal(plugin, _command(match), message):
                if match.asked or message.addressed:
                    yield told(message, refusal)
                continue
            try:
                args = arguments_of(match)
            except BadArguments as error:
                asked = question(match.entry, match.given or {}, message)
                yield told(message, asked.text, asked.choices, not asked.choices) if asked else told(message, str(error))
                continue
            own = plugin == CORE
            yield Body(
                plugin=plugin,
                route=match.entry.id,
                version="" if own else self._plugins.loaded[plugin].version,
                message=once(message),
                args=args,
                settings={} if own else view.settings(plugin, message.address),
                ordered=match.entry.route.ordered,
                quiet=view.quiet(message.address) or isinstance(message.trigger, Fired),  # nobody waits for what fires by itself
                level=view.level(message),
                retention=view.talking(message.address).retention,
            )

    def _offer(self, message: Message, view: View) -> str:
        """Which commands there are, for somebody who named one that is not."""
        if not isinstance(message.trigger, Called) or message.trigger.command in self._table.commands:
            return ""
        names = [f"/{name}" for name, entry in sorted(self._table.commands.items()) if view.may(entry.plugin, name, message)]
        return " " + tr("There is {commands}.", commands=", ".join(names)) if names else ""


def _command(match: Match) -> str:
    """The name of the command that it is, "" for other routes."""
    return match.entry.route.name if isinstance(match.entry.route, Command) else ""
