"""What handlers do through `ctx`, made durable: every act is found in the journal when the handler runs again. Running it: `runner.py`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.acts import Canvas, Clip, Fetched, Paper, Scope, Show
from bot.connector import Connector, Deliver, Limits
from bot.errors import ConnectorError, PluginError, Refused, UserError
from bot.jobs import Function, Job, Result
from bot.media import Decoder
from bot.messages import Attachment, Audio, Blob, Image, Message, Person, Reply, Source, message_json, reply_json
from bot.papers import Papers
from bot.pictures import Pictures
from bot.router.clicking import Instead
from bot.router.cutting import Recording
from bot.router.deciding import DurableDecisions, Offices
from bot.router.delivery import Line
from bot.router.fetch import fetch
from bot.router.following import Following
from bot.router.journal import Journal
from bot.router.metering import spent
from bot.router.toolbox import Toolbox
from bot.store.blobs import Blobs
from bot.store.conversations import DAY, Conversations
from bot.store.keys import digest
from bot.store.plugindata import PluginData
from bot.store.queue import Queue
from bot.store.quotas import Exhausted
from bot.store.schedules import Firing, Schedules
from bot.translation import tr
from bot.turns import Call, Summary, Turn

R = TypeVar("R", bound=Result)

LONGEST_CHAIN = 8
"""Messages that may be forwarded because of one another: two plugins that forward each other's never stop."""

turns_json: TypeAdapter[list[Turn]] = TypeAdapter(list[Turn])
functions_json: TypeAdapter[tuple[Function, ...]] = TypeAdapter(tuple[Function, ...])
fetched_json: TypeAdapter[Fetched] = TypeAdapter(Fetched)
blob_json: TypeAdapter[Blob] = TypeAdapter(Blob)
paper_json: TypeAdapter[Paper] = TypeAdapter(Paper)
canvas_json: TypeAdapter[Canvas] = TypeAdapter(Canvas)


@dataclass(frozen=True, slots=True)
class Stores:
    """What acts read and write, what may be had instead of a long wait, who counts results, and who reads strangers' files."""

    queue: Queue
    blobs: Blobs
    conversations: Conversations
    data: PluginData
    schedules: Schedules
    offices: Offices
    instead: Instead = field(default_factory=Instead)
    count: Callable[[Result], None] = lambda result: None
    decoder: Decoder = field(default_factory=Decoder)
    pictures: Pictures = field(default_factory=Pictures)
    papers: Papers = field(default_factory=Papers)


class DurableActs(DurableDecisions):
    """The acts of one run of one ticket."""

    def __init__(
        self, journal: Journal, line: Line, stores: Stores, connector: Connector, forward: Deliver, toolbox: Toolbox | None = None
    ) -> None:
        """`toolbox` is what may be called meanwhile; a tool has none."""
        super().__init__(journal, stores.offices, connector)
        self._line = line
        self._stores = stores
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
        writes = self._stores.conversations.condensing(self._conversation, summary, person)
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

        name = self._journal.name("fetch", method, url, json.dumps(dict(headers), sort_keys=True), digest(body.hex()), str(limit))
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

    async def read(self, source: Source, limit: int) -> bytes:
        """The same bytes every time, so they need no journal."""
        if source.size > limit:
            raise _too_large(source, limit)
        if isinstance(source, Blob):
            return await self._stores.blobs.get(source)
        content = bytearray()
        async for piece in self._pieces(source):
            content += piece
            if len(content) > limit:
                raise _too_large(source, limit)
        return bytes(content)

    async def _pieces(self, source: Attachment) -> AsyncIterator[bytes]:
        try:
            async for piece in self._connector.read(source):
                yield piece
        except ConnectorError as error:
            raise UserError(tr("I could not get the file “{file}”. Please send it again.", file=source.name or source.id)) from error

    async def keep(self, content: bytes, mime: str, name: str) -> Blob:
        """The blob that was made the first time."""

        async def put() -> bytes:
            return blob_json.dump_json(await self._stores.blobs.put(content, mime, name))

        return blob_json.validate_json(await self._journal.once(self._journal.name("keep", mime, name, digest(content.hex())), put))

    def clips(self, audio: Audio, longest: float, total: float, ahead: int) -> AbstractAsyncContextManager[AsyncIterator[Clip]]:
        """See `cutting.py`."""
        stores, content = self._stores, lambda: self._pieces_of(audio.source)
        cancel = partial(stores.queue.cancel, self._journal.ticket.id)
        return Recording(audio, content, self._journal, stores.blobs, stores.decoder, cancel).clips(longest, total, ahead)

    async def picture(self, image: Image, side: int) -> Canvas:
        """The picture that was read the first time."""

        async def read() -> bytes:
            found = await self._stores.pictures.read(self._pieces_of(image.source), side)
            blob = await self._stores.blobs.put(found.png, "image/png", "picture.png")
            return canvas_json.dump_json(Canvas(blob, found.width, found.height, found.recipe))

        return canvas_json.validate_json(await self._journal.once(self._journal.name("picture", image.source.id, str(side)), read))

    async def paper(self, source: Source, letters: int) -> Paper:
        """The words that were read the first time."""

        async def read() -> bytes:
            found = await self._stores.papers.read(self._pieces_of(source), letters)
            return paper_json.dump_json(Paper(found.text, found.read, found.pages))

        return paper_json.validate_json(await self._journal.once(self._journal.name("paper", source.id, str(letters)), read))

    async def remove(self) -> None:
        """Once; a message that is gone, or not ours, is left alone."""
        clicked = self._message.reply_to
        if clicked is not None and clicked.sender.id == self._message.me:
            await self._line.remove(clicked.id, self._journal.name("remove", clicked.id))

    async def _pieces_of(self, source: Source) -> AsyncIterator[bytes]:
        if isinstance(source, Blob):
            yield await self._stores.blobs.get(source)
            return
        async for piece in self._pieces(source):
            yield piece


def _too_large(source: Source, limit: int) -> UserError:
    name, most = source.name or tr("you sent"), f"{limit / 1_000_000:.0f}"
    return UserError(tr("The file {name} is too large: at most {most} MB.", name=name, most=most))
