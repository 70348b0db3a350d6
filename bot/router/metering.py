"""What a message and a job use of what somebody may, as operator and admins chose it. Counting: `bot/store/quotas.py`."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from bot.allowing import Amounts
from bot.choices import said_of
from bot.errors import BadArguments
from bot.jobs import Draw, Job, Transcribe
from bot.messages import Called, Clicked, Message, Reacted
from bot.quotas import UNITS, Measure, Quota, Usage, read_rate, span
from bot.router.gate import Gate, View
from bot.router.rewriting import Keep, Rewriting, deed
from bot.router.saying import told
from bot.router.status import roughly
from bot.store.digests import digest
from bot.store.quotas import NOTHING, Charge, Counters, Exhausted, Meter
from bot.store.servers import Server, Servers
from bot.store.tickets import Body
from bot.translation import later, tr, translated

CLIP_RATE = 32_000
"""Bytes of a second of a clip: 16 bits, 16,000 times (`media_worker.py`)."""


class Meters:
    """Knows what is counted for whom. `free` are plugins of which nothing is: nobody is locked out of what they are governed by."""

    def __init__(self, servers: Servers, gate: Gate, counters: Counters, rewriting: Rewriting, free: Collection[str]) -> None:
        self._servers = servers
        self._gate = gate
        self._counters = counters
        self._rewriting = rewriting
        self._free = free

    def message(self, view: View, bodies: Sequence[Body]) -> Charge:
        """What a message to the bot uses; one that nobody said to it, and what fires by itself, uses nothing."""
        of = {body.id for body in bodies if body.refusal is None and body.plugin not in self._free and _asked(body.message)}
        return Charge(meters(view, bodies[0].message, "messages"), of=of) if of else NOTHING

    async def job(self, message: Message, job: Job[Any]) -> list[Charge]:
        """What a job uses, and that seconds of a device are left for it."""
        view = await self._gate.view(message.address)
        amounts: dict[Measure, float] = {"device": 0.0}
        match job:
            case Draw(number=number):
                amounts["images"] = number
            case Transcribe(audio=audio):
                amounts["audio"] = audio.size / CLIP_RATE / 60
        return [Charge(found, amount) for measure, amount in amounts.items() if (found := meters(view, message, measure))]

    def refused(self, message: Message, over: Exhausted) -> Body:
        """What whoever asked is told: once until something is left again, and for each click and listed command, which want an answer."""
        if message.via:
            return told(message, spent(over))
        window = f"{time.time() + over.left:.0f}"[:-1]  # clocks differ by less than ten seconds
        return told(replace(message, event=f"quota:{digest(repr(over.meter))}:{window}"), spent(over))

    async def usage(self, message: Message) -> list[Usage]:
        """Every limit that holds for the sender."""
        view = await self._gate.view(message.address)
        held = [meter for measure in UNITS for meter in meters(view, message, measure)]
        used = await self._counters.used(held)
        return [
            Usage(meter.measure, meter.limit, meter.seconds, count, left, not meter.person, meter.fixed, not meter.tenant)
            for meter, (count, left) in zip(held, used, strict=True)
        ]

    async def chosen(self, message: Message) -> list[Quota]:
        """What the server's admins chose."""
        return list((await self._servers.get(message.address.tenant)).quotas)

    async def limit(self, message: Message, quota: Quota, keep: Keep) -> None:
        """Chooses it, for an admin."""
        self._within(quota)

        async def edit(server: Server) -> tuple[Server, bytes, Any]:
            others = tuple(one for one in server.quotas if (one.whose, one.measure) != (quota.whose, quota.measure))
            changed = server.model_copy(update={"quotas": (*others, quota) if quota.rates else others})
            text = later("{who}: {rates} {unit}") if quota.rates else later("{who}: no limit of {unit} of their own")
            what = said_of(text, quota.whose, quota.name, {"unit": UNITS[quota.measure]}, rates=", ".join(quota.rates))
            return changed, b"", deed(message, "", "", what, who=quota.whose)

        await self._rewriting.rewrite(message, tr("say how much may be used here"), edit, keep)

    def _within(self, quota: Quota) -> None:
        """Raises BadArguments for more than the operator allows."""
        table = self._gate.terms.allowed.quotas.server if quota.whose == "server" else self._gate.terms.allowed.quotas.person
        allowed = {seconds: amount for amount, seconds in map(read_rate, _of(table, quota.measure))}
        for amount, seconds in map(read_rate, quota.rates):
            if amount > allowed.get(seconds, amount):
                most = {"most": f"{allowed[seconds]:g}", "unit": quota.unit, "span": span(seconds)}
                raise BadArguments(tr("Whoever runs this bot allows at most {most} {unit} in {span} here.", **most))


def meters(view: View, message: Message, measure: Measure) -> list[Meter]:
    """The sender's here and everywhere, and the server's: of several limits for the same time the least."""
    address = message.address
    person = f"{address.connector}/{message.sender.id}"
    if person in view.owners:
        return []
    quotas, found = view.terms.allowed.quotas, dict[tuple[str, str, int], Meter]()
    for tenant, whose, table, chosen in (
        (address.tenant, person, quotas.person, _theirs(view.quotas, message, measure)),
        (address.tenant, "", quotas.server, _rates(view.quotas, ["server"], measure)),
        ("", person, quotas.everywhere, ()),
    ):
        for fixed, rates in ((True, _of(table, measure)), (False, chosen)):
            for amount, seconds in map(read_rate, rates):
                known = found.get((tenant, whose, seconds))
                if known is None or amount < known.limit:
                    found[tenant, whose, seconds] = Meter(measure, amount, seconds, tenant, whose, fixed)
    return list(found.values())


def _of(table: Amounts, measure: Measure) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(table, measure)
    return found


def _theirs(quotas: Sequence[Quota], message: Message, measure: Measure) -> tuple[str, ...]:
    """What was chosen for the person, else the most generous of what was for their roles, else for everybody."""
    if not quotas:
        return ()
    own = _rates(quotas, [f"person:{message.sender.id}"], measure)
    return own or _rates(quotas, [f"role:{role}" for role in message.roles], measure) or _rates(quotas, ["everyone"], measure)


def _rates(quotas: Iterable[Quota], whose: Sequence[str], measure: Measure) -> tuple[str, ...]:
    found = [quota.rates for quota in quotas if quota.measure == measure and quota.whose in whose]
    return max(found, key=_generosity, default=())


def _generosity(rates: Sequence[str]) -> float:
    return min((amount / seconds for amount, seconds in map(read_rate, rates)), default=0.0)


def _asked(message: Message) -> bool:
    return message.addressed or isinstance(message.trigger, Called | Clicked | Reacted)


def spent(over: Exhausted) -> str:
    """What is used up, when there is some again, and who can change it."""
    meter, unit = over.meter, translated(UNITS[over.meter.measure])
    changes = tr("Whoever runs me decides that.") if meter.fixed else tr("An admin of this server can change that with /quota.")
    if meter.limit < over.amount and meter.limit < 1:
        none = tr("You may use no {unit} here.", unit=unit) if meter.person else tr("Nobody may use any {unit} in this server.", unit=unit)
        return f"{none} {changes}"
    again = tr("There is more in {wait}.", wait=roughly(over.left)) if over.left else tr("Ask for fewer at once.")
    facts = {"most": f"{meter.limit:g}", "unit": unit, "span": span(meter.seconds)}
    if not meter.tenant:
        return f"{tr('You may use {most} {unit} in {span} in all servers together, and that would be more.', **facts)} {again} {changes}"
    if meter.person:
        return f"{tr('You may use {most} {unit} in {span} here, and that would be more.', **facts)} {again} {changes}"
    return f"{tr('All people of this server may use {most} {unit} in {span}, and that would be more.', **facts)} {again} {changes}"
