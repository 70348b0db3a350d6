"""Writes down which path messages take, and shows it to those whom it concerns. What a path is: `bot/traces.py`."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from bot.choices import CORE, reaches
from bot.errors import Refused
from bot.messages import Called, Clicked, Message, Reacted, Said
from bot.router.addressing import spoken
from bot.router.delivery import Line
from bot.router.gate import Gate, View
from bot.router.matching import wants
from bot.router.table import Table
from bot.store.queue import Queue
from bot.store.tickets import Body, Ticket
from bot.store.traces import Traces
from bot.traces import Request, Rule, Step, Trace
from bot.translation import Phrase, later, translated

LONGEST = 2000
"""Characters of what was said that are kept, where they are."""

THEIRS = later("Only whose message it is, and the admins of this server, can see why.")


class Explaining:
    """Returns at once; what could not be written is not known later. Nobody asks about commands of the `free` plugins.

    What was said to the bot is kept with its path only where the operator wants `contents`.
    """

    def __init__(self, traces: Traces, table: Table, gate: Gate, queue: Queue, free: Collection[str], *, contents: bool = False) -> None:
        self._contents = contents
        self._traces = traces
        self._table = table
        self._gate = gate
        self._queue = queue
        self._free = free

    def seen(self, message: Message, view: View, bodies: Sequence[Body]) -> None:
        """What was decided about a message of a person."""
        if not message.sender.id or not isinstance(message.trigger, Said | Called | Clicked | Reacted):
            return
        steps = [Step(plugin=one.plugin, route=one.route, words=one.refusal or "", ref=one.id[:10]) for one in bodies]
        last = not any(one.plugin in self._free and one.refusal is None for one in bodies) and isinstance(message.trigger, Said | Called)
        trace = Trace(
            message=message.id,
            person=message.sender.id,
            at=time.time(),
            rule=_rule(message, view),
            stop="banned" if view.shut_out(message) else "" if view.admits(message) else "not admitted",
            steps=tuple(steps),
            missed=() if steps else tuple(dict.fromkeys(self._missed(message, view))),
        )
        said = message.text[:LONGEST] if self._contents and steps else ""
        self._traces.seen(message.address.conversation, trace, last=last, said=said)

    def _missed(self, message: Message, view: View) -> list[str]:
        if not isinstance(message.trigger, Said):
            return []
        off = (entry for entry in self._table.listeners if entry.plugin != CORE and not view.allows(entry.plugin, message.address))
        return [entry.plugin for entry in off if wants(entry, message)]

    async def ended(self, ticket: Ticket, line: Line, worked: bool, trouble: Phrase | None) -> Sequence[Request]:
        """What became of a ticket, which may have `worked` with jobs: these, before they are forgotten. `trouble` kept it from working."""
        body, message = ticket.body, ticket.body.message
        requests = tuple(await self._queue.facts(ticket.id)) if worked else ()
        if not message.sender.id:
            return requests
        step = Step(
            plugin=body.plugin,
            route=body.route,
            words=body.refusal or "",
            ref=ticket.ref,
            seconds=round(time.time() - ticket.at, 2),
            requests=requests,
            answers=len(line.sent),
            undelivered=line.failed,
            trouble=trouble,
        )
        self._traces.ended(message.address.conversation, message.id, step, line.sent)
        return requests

    async def find(self, message: Message, about: str) -> Trace | None:
        """The path of the message `about`, or of the one that it answers; "" for the sender's last. Raises Refused for other people's."""
        place = message.address.conversation
        found = await (self._traces.find(place, about) if about else self._traces.last(place, message.sender.id))
        if found is None or found.person == message.sender.id:
            return found
        if not reaches((await self._gate.view(message.address)).level(message), "admin"):
            raise Refused(translated(THEIRS))
        return found

    async def close(self) -> None:
        """Returns when everything is written."""
        await self._traces.written()


def _rule(message: Message, view: View) -> Rule:
    match message.trigger:
        case Called():
            return "command"
        case Clicked():
            return "click"
        case Reacted():
            return "reaction"
    return spoken(message, view.talking(message.address))
