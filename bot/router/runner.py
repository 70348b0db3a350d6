"""Runs tickets: handler, answer, end; hands back at a stop what has not ended. Writing them: `dispatch.py`. Leases: `keeping.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from structlog.contextvars import bind_contextvars

from bot import tracing
from bot.calls import HANDLERS
from bot.choices import CORE
from bot.context import Context
from bot.errors import ConnectorError, JobCancelled, JobError, JobExpired, JobRefused, Refused, StoreError, UserError
from bot.messages import Audio, Clicked, File, Image, Text
from bot.plugins import Plugins
from bot.replies import Reply, reply_json
from bot.router.acts import DurableActs
from bot.router.allowance import Allowance, allowed
from bot.router.delivery import Delivery, Line
from bot.router.journal import Journal, Ledger, outlasting
from bot.router.table import Entry, Table
from bot.routes import Action, Command, Listener, NoArgs, Outcome, Schedule
from bot.store.queue import Withdrawn
from bot.store.tickets import Superseded, Ticket
from bot.translation import Phrase, read_in, tr, translated

MOST_FAILURES = 5
"""How often in a row a plugin's handlers may fail, whoever asks, before it rests."""

UNSURE = 7.0
"""Seconds that a call to a platform may still take at a stop, with what writes down that it was made: a store may just be starting anew."""

log = structlog.get_logger(__name__)

Act = Callable[[Journal, Line], DurableActs]
"""Makes what a handler may do in one run."""

Ended = Callable[[Ticket, Line, str, bool, Phrase | None], None]
"""Called after a ticket's end with what it came to, whether it may have run jobs, and what kept its plugin from working."""


class Holding(Ledger, Protocol):
    """Where tickets are held: Redis, or memory when the cost of the rest is measured."""

    async def recall(self, ticket: Ticket) -> dict[str, bytes]:
        """See `Tickets.recall`."""

    async def finish(self, ticket: Ticket) -> bool:
        """See `Tickets.finish`."""

    async def hand_back(self, ticket: Ticket) -> None:
        """See `Tickets.hand_back`."""


class Runner:
    """Holds the tickets that this router runs."""

    def __init__(self, table: Table, plugins: Plugins, tickets: Holding, delivery: Delivery, act: Act, ended: Ended) -> None:
        self._table = table
        self._plugins = plugins
        self._tickets = tickets
        self._delivery = delivery
        self._act = act
        self._ended = ended
        self._held: dict[str, tuple[Ticket, asyncio.Task[None]]] = {}

    @property
    def held(self) -> list[Ticket]:
        """The tickets in hand."""
        return [ticket for ticket, _ in self._held.values()]

    def start(self, ticket: Ticket) -> None:
        """Runs the ticket in the background; an older run of it here has lost its lease."""
        if (older := self._held.get(ticket.id)) is not None:
            older[1].cancel()
        task = asyncio.create_task(self._run(ticket), name=f"ticket {ticket.id}")
        self._held[ticket.id] = ticket, task
        task.add_done_callback(lambda _: self._let_go(ticket, task))

    def _let_go(self, ticket: Ticket, task: asyncio.Task[None]) -> None:
        if self._held.get(ticket.id, (None, None))[1] is task:
            del self._held[ticket.id]
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("a ticket failed outside its handler", exc_info=fault, ref=ticket.ref)

    def abandon(self, lost: Ticket) -> None:
        """Stops running a ticket that belongs to somebody else by now. That may be this router, whose newer hold on it stays."""
        held, task = self._held.get(lost.id, (None, None))
        if task is not None and held is not None and held.fence == lost.fence:
            task.cancel()

    async def drain(self, seconds: float) -> None:
        """Gives the running tickets a moment to end, and what is just being sent a longer one, so that nobody says it again; then hands
        the rest back for another router to take at once."""
        for longer, unsure in ((seconds, self._delivery.unsure), (UNSURE, frozenset[str]())):
            if self._held:
                await asyncio.wait([task for _, task in self._held.values()], timeout=longer)
            await self._give_up([held for id, held in self._held.items() if id not in unsure])

    async def _give_up(self, left: Sequence[tuple[Ticket, asyncio.Task[None]]]) -> None:
        for _, task in left:
            task.cancel()
        await asyncio.gather(*(task for _, task in left), return_exceptions=True)
        for fault in await asyncio.gather(*(self._tickets.hand_back(ticket) for ticket, _ in left), return_exceptions=True):
            if fault is not None:  # its lease lapses
                log.warning("a ticket could not be handed back", fault=str(fault))

    async def _run(self, ticket: Ticket) -> None:
        body = ticket.body
        bind_contextvars(ref=ticket.ref)  # for as long as this task runs
        with tracing.ticket(ticket.id, plugin=body.plugin, route=body.route, attempts=ticket.attempts):
            try:
                await self._answer(Journal(ticket, self._tickets, await self._tickets.recall(ticket)))
            except Superseded:
                log.info("another router took the ticket over")
            except StoreError as error:  # the lease lapses, and whoever reaches Redis again runs it anew
                log.warning("a ticket waits for Redis", fault=str(error))

    async def _answer(self, journal: Journal) -> None:
        read_in(self._plugins.locales.of(journal.message.language, journal.ticket.body.plugin))
        line = self._delivery.line(journal)
        try:
            reply = await self._outcome(journal, line)
            await self._settle(line, journal, reply)
            if not await outlasting(lambda: self._tickets.finish(journal.ticket)):
                raise Superseded
        finally:
            self._delivery.unsure.discard(journal.ticket.id)
            await line.close()
        self._ended(journal.ticket, line, _came_to(journal, reply), journal.touched or journal.busy, journal.trouble)

    async def _settle(self, line: Line, journal: Journal, reply: Reply | None) -> None:
        """Delivers the outcome; one that cannot be made into posts (a file is gone, say) becomes the reason why."""
        try:
            await line.settle(reply)
        except (Superseded, StoreError):
            raise
        except UserError as error:
            await line.settle(Reply(str(error), fault=True))
        except Exception:
            log.exception("a reply could not be delivered", plugin=journal.ticket.body.plugin, route=journal.ticket.body.route)
            await line.settle(_apology(journal))

    async def _outcome(self, journal: Journal, line: Line) -> Reply | None:
        """What is visible in the end; a handler that came that far once is not called again."""
        body, journalled = journal.ticket.body, journal.find("outcome")
        if journalled is not None:
            return reply_json.validate_json(journalled)
        if body.refusal is not None:
            private = isinstance(journal.message.trigger, Clicked) and not body.asks  # nobody can reply to what is shown once
            return Reply(body.refusal, fault=True, private=private)
        if journal.ticket.crashed_too_often:
            log.error("gave a ticket up: its handler killed its router every time", plugin=body.plugin, route=body.route)
            return _apology(journal)
        entry = self._table.find(body.plugin, body.route)
        loaded = self._plugins.loaded.get(body.plugin)  # none has the core's own routes
        if body.plugin in self._plugins.out:
            said = tr("{plugin} stood in everybody's way and is off for now. Whoever runs this bot can see why.", plugin=body.plugin)
            return Reply(said, fault=True)
        if entry is None or body.version != (loaded.version if loaded else ""):
            return Reply(tr("I was updated while I worked on this. Please ask again."), fault=True)
        if self._plugins.calls.rests(entry.plugin, HANDLERS):
            journal.trouble = self._plugins.calls.trouble(entry.plugin)
            asked = journal.message.addressed or not isinstance(entry.route, Listener)
            said = tr("{plugin} went wrong again and again, and rests for a minute.", plugin=entry.plugin)
            return Reply(said, fault=True) if asked else None
        return await self._handled(entry, journal, line)

    async def _handled(self, entry: Entry, journal: Journal, line: Line) -> Reply | None:
        calls, allowance = self._plugins.calls, Allowance(entry.plugin)
        try:
            outcome = await self._call(entry, journal, line, allowance)
            reply = outcome_of(outcome)
        except (Superseded, StoreError):
            raise
        except Exception as error:
            fault = not isinstance(error, UserError | JobError | ConnectorError | Withdrawn)
            calls.note(entry.plugin, entry.id, allowance.used, error, fault=fault)
            if fault and entry.plugin != CORE:
                calls.failed(entry.plugin, HANDLERS, MOST_FAILURES, entry.id, error)
                journal.trouble = calls.trouble(entry.plugin)
            return self._explained(error, entry, journal)
        calls.note(entry.plugin, entry.id, allowance.used, outcome)
        calls.worked(entry.plugin, HANDLERS)
        return reply

    def _explained(self, error: Exception, entry: Entry, journal: Journal) -> Reply | None:
        match error:
            case UserError():
                return Reply(str(error), fault=True, private=isinstance(error, Refused) and isinstance(journal.message.trigger, Clicked))
            case JobExpired() | JobRefused():
                return Reply(translated(str(error)), fault=True)  # a model's words come from a worker, who knows no reader
            case Withdrawn():
                return None
            case JobCancelled():
                return Reply(tr("Cancelled."), fault=True)
        log.error("a handler failed", exc_info=error, plugin=entry.plugin, route=entry.id)
        return _apology(journal)

    async def _call(self, entry: Entry, journal: Journal, line: Line, allowance: Allowance) -> Outcome:
        ticket, route = journal.ticket, entry.route
        loaded = self._plugins.loaded.get(entry.plugin)
        settings = (loaded.settings if loaded else NoArgs).model_validate(ticket.body.settings)
        now = datetime.fromtimestamp(ticket.at, UTC)
        acts = allowed(self._act(journal, line), allowance)
        ctx = Context(journal.message, settings, now, journal.ref, acts, ticket.body.level)
        async with allowance:
            match route:
                case Command(args=model) | Action(payload=model) | Schedule(payload=model):
                    return await route.handler(ctx, model.model_validate(ticket.body.args))
                case _:
                    return await route.handler(ctx)


def outcome_of(outcome: Any) -> Reply | None:
    """What a handler returned, as a Reply. Raises TypeError or ValueError for what is none."""
    if outcome is None:
        return None
    if not isinstance(outcome, Reply | str):
        raise TypeError(f"expected a Reply, a string or None, found {outcome!r}")
    reply = Reply(outcome) if isinstance(outcome, str) else outcome
    if wrong := [part for part in reply.parts if not isinstance(part, Text | Image | Audio | File)]:
        raise TypeError(f"expected parts or strings in a Reply, found {wrong[0]!r}")
    if not reply.text.strip() and all(part.kind == "text" for part in reply.parts):
        raise ValueError("expected words in a Reply, found none: None stays silent")
    return reply


def _came_to(journal: Journal, reply: Reply | None) -> str:
    """Answered, silent, refused (a fault that whoever asked can mend, or a cancellation), or failed."""
    if journal.failed:
        return "failed"
    return "silent" if reply is None else "refused" if reply.fault else "answered"


def _apology(journal: Journal) -> Reply:
    journal.failed = True
    return Reply(tr("Sorry, something went wrong here, and it was not your doing. Reference: {ref}", ref=journal.ref), fault=True)
