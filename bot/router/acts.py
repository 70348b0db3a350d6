"""What handlers do through `ctx`, made durable: every act is found in the journal when the handler runs again. With files: `filing.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.acts import Fetched, Scope, Show
from bot.connector import Connector, Deliver, Limits
from bot.errors import PluginError, Refused
from bot.jobs import Function, Job, Result
from bot.messages import Message, Person, message_json
from bot.replies import Reply, reply_json
from bot.router.delivery import Line
from bot.router.fetch import fetch
from bot.router.filing import DurableFiles
from bot.router.following import Following
from bot.router.journal import Journal
from bot.router.metering import spent
from bot.router.stores import Stores
from bot.router.toolbox import Toolbox
from bot.store.conversations import DAY
from bot.store.digests import digest, digest_of
from bot.store.quotas import Exhausted
from bot.store.schedules import Firing
from bot.turns import Call, Summary, Turn

R = TypeVar("R", bound=Result)

LONGEST_CHAIN = 8
"""Messages that may be forwarded because of one another: two plugins that forward each other's never stop."""

turns_json: TypeAdapter[list[Turn]] = TypeAdapter(list[Turn])
functions_json: TypeAdapter[tuple[Function, ...]] = TypeAdapter(tuple[Function, ...])
fetched_json: TypeAdapter[Fetched] = TypeAdapter(Fetched)


class DurableActs(DurableFiles):
    """The acts of one run of one ticket."""

    def __init__(
        self, journal: Journal, line: Line, stores: Stores, connector: Connector, forward: Deliver, toolbox: Toolbox | None = None
    ) -> None:
        """`toolbox` is what may be called meanwhile; a tool has none."""
        super().__init__(journal, stores, connector)
        self._line = line
        self._forward = forward
        self._toolbox = toolbox

    @property
    def limits(self) -> Limits:
        """Of the chat."""
        return self._connector.limits(self._message.address)

    async def run(self, job: Job[R], show: Show | None, quiet: bool = False) -> R:
        """See `following.py`; on no model that an owner has stopped."""
        model = await self._offices.ruling.runnable(self._message, job.kind, job.model)
        if model != job.model:
            job = job.model_copy(update={"model": model})
        stores, charges = self._stores, await self._offices.metering.job(self._message, job)
        try:
            result = await Following(job, self._journal, self._line, stores.queue, stores.instead, show, quiet, charges).result()
        except Exhausted as over:
            raise Refused(spent(over)) from None
        stores.count(result)
        return result

    async def tools(self) -> tuple[Function, ...]:
        """What was offered the first time."""

        async def ask() -> bytes:
            return functions_json.dump_json(await self._toolbox.offered(self._message) if self._toolbox else ())

        return functions_json.validate_json(await self._journal.once(self._journal.name("tools"), ask))

    async def call(self, call: Call) -> Reply:
        """What came of it the first time; a call that was cut off finds done what it did before."""
        name = self._journal.name("tool", call.name, json.dumps(call.arguments, sort_keys=True))
        toolbox = self._toolbox
        if toolbox is None:
            raise PluginError(self._plugin, f"a tool called the tool {call.name}: only handlers of routes may")

        def act(inner: Journal) -> DurableActs:
            return DurableActs(inner, self._line, self._stores, self._connector, self._forward)

        async def run() -> bytes:
            return reply_json.dump_json(await toolbox.call(call, name, self._journal, act))

        return reply_json.validate_json(await self._journal.once(name, run))

    async def models(self, kind: str) -> list[str]:
        """Those that were served when this was first asked."""

        async def read() -> bytes:
            return json.dumps(await self._stores.queue.models(kind)).encode()

        found: list[str] = json.loads(await self._journal.once(self._journal.name("models", kind), read))
        return found

    async def post(self, reply: Reply) -> None:
        """Sends beside the answer, each post at most once where the platform can tell."""
        await self._line.post(reply, self._journal.name("post", reply_json.dump_json(reply).decode()))

    async def turns(self, budget: int, person: str) -> list[Turn]:
        """History as it was when this was first asked."""

        async def read() -> bytes:
            return turns_json.dump_json(await self._stores.conversations.turns(self._conversation, budget, person))

        return turns_json.validate_json(await self._journal.once(self._journal.name("turns", str(budget), person), read))

    async def append(self, turn: Turn) -> None:
        """One write for the turn and its journal entry."""
        self._must_be_ordered("append a turn")
        write = self._stores.conversations.appending(self._conversation, turn, self._journal.ticket.body.retention * DAY)
        await self._write(self._journal.name("append", turn.model_dump_json(exclude={"offset"})), [write])

    async def withdraw(self, message: str) -> None:
        """One transaction for the turns and its journal entry."""
        self._must_be_ordered("withdraw turns")
        writes = await self._stores.conversations.withdrawing(self._conversation, message)
        await self._write(self._journal.name("withdraw", message), writes)

    async def reset(self, person: str) -> None:
        """One transaction for the forgetting and its journal entry."""
        self._must_be_ordered("reset the conversation")
        await self._write(self._journal.name("reset", person), await self._stores.conversations.resetting(self._conversation, person))

    async def summary(self, person: str) -> Summary:
        """The summary as it was when this was first asked."""

        async def read() -> bytes:
            return (await self._stores.conversations.summary(self._conversation, person)).model_dump_json().encode()

        return Summary.model_validate_json(await self._journal.once(self._journal.name("summary", person), read))

    async def condense(self, summary: Summary, person: str) -> None:
        """One write for the summary and its journal entry."""
        writes = await self._stores.conversations.condensing(self._conversation, summary, person)
        await self._write(self._journal.name("condense", summary.model_dump_json(), person), writes)

    @property
    def _conversation(self) -> str:
        return self._message.address.conversation

    def _must_be_ordered(self, what: str) -> None:
        body = self._journal.ticket.body
        if not body.ordered:
            fault = f"its route {body.route!r} wants to {what}, but is not ordered: declare the route with ordered=True"
            raise PluginError(body.plugin, fault)

    async def _write(self, name: str, writes: list[Any]) -> None:
        if self._journal.find(name) is None:
            await self._journal.write(name, b"", writes)

    async def load(self, scope: Scope, key: str, of: Person | None = None) -> bytes | None:
        """The value as it was when this was first asked; a journalled "" stands for nothing."""

        async def read() -> bytes:
            return await self._stores.data.load(self._plugin, scope, self._owner(scope, of), key) or b""

        return await self._journal.once(self._journal.name("load", scope, key, *([of.id] if of else ())), read) or None

    async def save(self, scope: Scope, key: str, value: bytes | None, ttl: float | None) -> None:
        """One write for the value and its journal entry."""
        name = self._journal.name("save", scope, key, (value or b"").decode())
        await self._write(name, self._stores.data.saving(self._plugin, scope, self._owner(scope), key, value, ttl))

    def _owner(self, scope: Scope, of: Person | None = None) -> str:
        address, person = self._message.address, of or self._message.sender
        owners = {"server": address.tenant, "chat": address.conversation, "person": f"{address.connector}/{person.id}"}
        return owners[scope]

    async def fetch(self, method: str, url: str, headers: Mapping[str, str], body: bytes, limit: int) -> Fetched:
        """The answer that came the first time."""

        async def ask() -> bytes:
            return fetched_json.dump_json(await fetch(method, url, headers, body, limit))

        name = self._journal.name("fetch", method, url, json.dumps(dict(headers), sort_keys=True), digest_of(body), str(limit))
        return fetched_json.validate_json(await self._journal.once(name, ask))

    async def forward(self, message: Message) -> None:
        """Its tickets follow from its event id, so forwarding it again is nothing new. `via` stays with the answer to the first."""
        source = self._message.event
        if source.count(">") >= LONGEST_CHAIN:
            raise PluginError(self._plugin, f"forwarded a message that was forwarded {LONGEST_CHAIN} times already: that would never end")
        name = self._journal.name("forward", message_json.dump_json(message).decode())
        await self._forward(replace(message, event=f"{source}>{digest(self._journal.ticket.id, name)}", via=""))

    async def schedule(self, name: str, payload: Mapping[str, Any], at: float) -> str:
        """One write for the firing and its journal entry."""
        entry = self._journal.name("schedule", name, json.dumps(payload, sort_keys=True), str(at))
        id = digest(self._journal.ticket.id, entry)
        firing = Firing(plugin=self._plugin, name=name, payload=payload, address=self._message.address, person=self._message.sender, at=at)
        await self._write(entry, self._stores.schedules.adding(id, firing))
        return id

    async def unschedule(self, id: str) -> None:
        """One write for the removal and its journal entry."""
        await self._write(self._journal.name("unschedule", id), self._stores.schedules.removing(id))

    async def remove(self) -> None:
        """Once; a message that is gone, or not ours, is left alone."""
        clicked = self._message.reply_to
        if clicked is not None and clicked.sender.id == self._message.me:
            await self._line.remove(clicked.id, self._journal.name("remove", clicked.id))
