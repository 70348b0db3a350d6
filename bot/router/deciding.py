"""What handlers decide through `ctx.choices`, `ctx.permissions` and `ctx.house`, made durable. What else they do: `acts.py`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from bot.choices import Change, Chosen, Deed, Where
from bot.connector import Connector
from bot.forms import Picked
from bot.house import Admission, Applicant, Door, Order, Policy, Rules
from bot.messages import Blob, Message
from bot.permissions import Held, Permit, Usable
from bot.personal import Kept, Language
from bot.quotas import Quota, Usage
from bot.router.admitting import Admitting
from bot.router.choosing import Choosing, chosen_json
from bot.router.entering import Entering
from bot.router.explaining import Explaining
from bot.router.giving import Giving, kept
from bot.router.helping import Helping
from bot.router.journal import Journal
from bot.router.metering import Meters
from bot.router.permitting import Permitting
from bot.router.picking import Picking
from bot.router.readers import Readers
from bot.router.rewriting import Keep
from bot.router.ruling import Ruling
from bot.store.digests import digest
from bot.traces import Trace
from bot.translation import read_in

T = TypeVar("T")

all_chosen_json: TypeAdapter[list[Chosen]] = TypeAdapter(list[Chosen])
blob_json: TypeAdapter[Blob] = TypeAdapter(Blob)
usable_json: TypeAdapter[list[Usable]] = TypeAdapter(list[Usable])
trace_json: TypeAdapter[Trace | None] = TypeAdapter(Trace | None)
usages_json: TypeAdapter[list[Usage]] = TypeAdapter(list[Usage])
quotas_json: TypeAdapter[list[Quota]] = TypeAdapter(list[Quota])
held_json: TypeAdapter[Held] = TypeAdapter(Held)
rules_json: TypeAdapter[Rules] = TypeAdapter(Rules)
admission_json: TypeAdapter[Admission] = TypeAdapter(Admission)
deeds_json: TypeAdapter[list[Deed]] = TypeAdapter(list[Deed])
found_json: TypeAdapter[tuple[str, str]] = TypeAdapter(tuple[str, str])
languages_json: TypeAdapter[list[Language]] = TypeAdapter(list[Language])


@dataclass(frozen=True, slots=True)
class Offices:
    """Who decides what."""

    choosing: Choosing
    permitting: Permitting
    ruling: Ruling
    helping: Helping
    giving: Giving
    admitting: Admitting
    readers: Readers
    entering: Entering
    metering: Meters
    explaining: Explaining
    picking: Picking


class DurableDecisions:
    """What one run of one ticket decides. Reads give on a replay what they gave the first time; writes are one with their journal entry."""

    def __init__(self, journal: Journal, offices: Offices, connector: Connector) -> None:
        self._journal = journal
        self._offices = offices
        self._connector = connector

    @property
    def _message(self) -> Message:
        return self._journal.message

    @property
    def _plugin(self) -> str:
        return self._journal.ticket.body.plugin

    async def _once(self, adapter: TypeAdapter[T], name: str, ask: Callable[[], Awaitable[T]]) -> T:
        """What was answered when this was first asked."""

        async def read() -> bytes:
            return adapter.dump_json(await ask())

        return adapter.validate_json(await self._journal.once(name, read))

    def _keep(self, name: str) -> Keep:
        return lambda value, writes: self._journal.write(name, value, writes)

    async def chosen(self, plugin: str | None) -> list[Chosen]:
        """What held when this was first asked."""
        return await self._once(
            all_chosen_json,
            self._journal.name("chosen", str(plugin)),
            lambda: self._offices.choosing.chosen(self._plugin, plugin, self._message),
        )

    async def choose(self, change: Change) -> Chosen:
        """One write for the change, its entry in the audit log, and that in the journal."""
        name = self._journal.name("choose", change.model_dump_json())
        if (done := self._journal.find(name)) is not None:
            return chosen_json.validate_json(done)
        return await self._offices.choosing.choose(self._plugin, self._message, change, self._connector, self._keep(name))

    async def working(self, plugin: str, where: Where) -> int:
        """As many as there were when this was first asked."""

        async def count() -> bytes:
            return str(len(await self._offices.choosing.under_way(self._plugin, self._message, plugin, where))).encode()

        return int(await self._journal.once(self._journal.name("working", plugin, where), count))

    async def stop(self, plugin: str, where: Where) -> int:
        """Cancelling again harms nobody, so the journal keeps the number alone."""

        async def cancel() -> bytes:
            return str(await self._offices.choosing.stop(self._plugin, self._message, plugin, where)).encode()

        return int(await self._journal.once(self._journal.name("stop", plugin, where), cancel))

    async def deeds(self, most: int) -> list[Deed]:
        """Those that there were when this was first asked."""
        return await self._once(
            deeds_json, self._journal.name("deeds", str(most)), lambda: self._offices.choosing.deeds(self._plugin, self._message, most)
        )

    async def link(self) -> str:
        """The link that was made first."""
        self._offices.choosing.must_administer(self._plugin)

        async def make() -> bytes:
            return (await self._offices.entering.link(self._message)).encode()

        return (await self._journal.once(self._journal.name("link"), make)).decode()

    async def held(self) -> Held:
        """What held when this was first asked."""
        return await self._once(held_json, self._journal.name("held"), lambda: self._offices.permitting.held(self._message))

    async def permit(self, permit: Permit) -> Held:
        """One write for the change, its entry in the audit log, and that in the journal."""
        self._offices.choosing.must_administer(self._plugin)
        name = self._journal.name("permit", permit.model_dump_json())
        if (done := self._journal.find(name)) is not None:
            return Held.model_validate_json(done)
        return await self._offices.permitting.permit(self._message, permit, self._keep(name))

    async def may(self, plugin: str, command: str) -> str:
        """As it was when this was first asked."""

        async def read() -> bytes:
            return (await self._offices.choosing.refusal(self._message, plugin, command)).encode()

        return (await self._journal.once(self._journal.name("may", plugin, command), read)).decode()

    async def find(self, kind: Picked, said: str) -> tuple[str, str]:
        """What it was when this was first asked."""
        self._offices.choosing.must_administer(self._plugin)
        return await self._once(
            found_json, self._journal.name("find", kind, said), lambda: self._offices.picking.find(kind, said, self._message)
        )

    async def commands(self) -> list[Usable]:
        """Those that there were when this was first asked."""
        return await self._once(usable_json, self._journal.name("commands"), lambda: self._offices.helping.commands(self._message))

    async def kept(self) -> list[Kept]:
        """The same always."""
        self._offices.choosing.must_administer(self._plugin)
        return kept()

    async def wants_memory(self) -> bool:
        """As it was when this was first asked."""
        self._offices.choosing.must_administer(self._plugin)

        async def read() -> bytes:
            return b"1" if await self._offices.giving.remembered(self._message) else b""

        return bool(await self._journal.once(self._journal.name("remembered"), read))

    async def want_memory(self, wanted: bool) -> None:
        """One write for the wish and the journal entry."""
        self._offices.choosing.must_administer(self._plugin)
        name = self._journal.name("remember", str(wanted))
        if self._journal.find(name) is None:
            await self._journal.write(name, b"", [self._offices.giving.remembering(self._message, wanted)])

    async def export(self) -> Blob:
        """What there was when this was first asked."""
        self._offices.choosing.must_administer(self._plugin)
        return await self._once(blob_json, self._journal.name("export"), lambda: self._offices.giving.export(self._message))

    async def forget(self) -> dict[str, int]:
        """As much as there was the first time; a crash in the midst of it counts what was left."""
        self._offices.choosing.must_administer(self._plugin)

        async def forget() -> bytes:
            return json.dumps(await self._offices.giving.forget(self._message)).encode()

        gone: dict[str, int] = json.loads(await self._journal.once(self._journal.name("forget"), forget))
        return gone

    async def languages(self) -> list[Language]:
        """As they were when this was first asked."""
        self._offices.choosing.must_administer(self._plugin)
        return await self._once(languages_json, self._journal.name("languages"), lambda: self._offices.readers.languages(self._message))

    async def speak(self, tag: str) -> None:
        """One write for the choice and its journal entry; what the handler says from here on is in that language already."""
        self._offices.choosing.must_administer(self._plugin)
        name = self._journal.name("speak", tag)
        if self._journal.find(name) is None:
            await self._journal.write(name, b"", self._offices.readers.speaking(self._message, tag))
        if tag:
            read_in(self._offices.readers.locales.of(tag, self._plugin))

    async def claim(self, code: str) -> None:
        """One write for the owner, the used code, and the journal entry."""
        name = self._journal.name("claim", digest(code))
        if self._journal.find(name) is None:
            admitting = self._offices.admitting.admitting(self._message.address.tenant)
            await self._ruling.claim(self._message, code, self._keep(name), admitting)

    async def rules(self) -> Rules:
        """Those that held when this was first asked."""
        return await self._once(rules_json, self._journal.name("rules"), lambda: self._ruling.rules(self._message))

    async def order(self, order: Order) -> Rules:
        """One write for the rules, the log, and the journal entry."""
        name = self._journal.name("order", order.model_dump_json())
        done = self._journal.find(name)
        rules = Rules.model_validate_json(done) if done else await self._ruling.order(self._message, order, self._keep(name))
        await self._ruling.end_work(order)
        return rules

    async def decisions(self, most: int) -> list[Deed]:
        """Those that there were when this was first asked."""
        return await self._once(deeds_json, self._journal.name("decisions", str(most)), lambda: self._ruling.deeds(self._message, most))

    async def admission(self) -> Admission:
        """What held when this was first asked."""
        self._offices.choosing.must_administer(self._plugin)
        return await self._once(admission_json, self._journal.name("admission"), lambda: self._offices.admitting.admission(self._message))

    async def open(self, door: Door, policy: Policy) -> Admission:
        """One write for the rules, the log, and the journal entry."""
        self._offices.choosing.must_administer(self._plugin)
        name = self._journal.name("open", door, policy)
        if self._journal.find(name) is None:
            await self._offices.admitting.open(self._message, door, policy, self._keep(name))
        return await self.admission()

    async def admit(self, server: str, admitted: bool) -> Admission:
        """One write for the server, the log, and the journal entry; what follows in the server does so once."""
        self._offices.choosing.must_administer(self._plugin)
        name, admitting = self._journal.name("admit", server, str(admitted)), self._offices.admitting
        done = self._journal.find(name)
        read = Applicant.model_validate_json
        applicant = read(done) if done else await admitting.decide(self._message, server, admitted, self._keep(name))
        await admitting.follow_up(applicant, admitted)
        return await self.admission()

    async def trace(self, message: str) -> Trace | None:
        """As it was when this was first asked."""
        return await self._once(
            trace_json, self._journal.name("trace", message), lambda: self._offices.explaining.find(self._message, message)
        )

    async def usage(self) -> list[Usage]:
        """As it was when this was first asked."""
        return await self._once(usages_json, self._journal.name("usage"), lambda: self._offices.metering.usage(self._message))

    async def quotas(self) -> list[Quota]:
        """Those that held when this was first asked."""
        return await self._once(quotas_json, self._journal.name("quotas"), lambda: self._offices.metering.chosen(self._message))

    async def limit(self, quota: Quota) -> list[Quota]:
        """One write for the change, its entry in the audit log, and that in the journal."""
        self._offices.choosing.must_administer(self._plugin)
        name = self._journal.name("limit", quota.model_dump_json())
        if self._journal.find(name) is None:
            await self._offices.metering.limit(self._message, quota, self._keep(name))
        return await self.quotas()

    @property
    def _ruling(self) -> Ruling:
        self._offices.choosing.must_administer(self._plugin)
        return self._offices.ruling
