"""What a handler is given: everything it may do. How each act is made durable is in `bot/router/acts.py`.

A handler that is cut off by a crash runs again from the top. Acts it has done already are found in the ticket's journal
and give what they gave before; so a handler does nothing that matters except through `ctx`, and takes its time and its
randomness from it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import cached_property
from random import Random
from typing import Any, TypeVar

from pydantic import BaseModel

from bot.acts import Acts, Canvas, Clip, Fetched, Paper, Scope, Show
from bot.choices import Level, ServerChoices
from bot.connector import Limits
from bot.house import House
from bot.jobs import Function, Job, Result
from bot.messages import Address, Audio, Blob, Image, Message, Person, Source
from bot.permissions import Permissions, Usable
from bot.personal import Personal
from bot.quotas import Quotas
from bot.replies import Reply
from bot.traces import Trace
from bot.turns import Call, Summary, Turn

R = TypeVar("R", bound=Result)
M = TypeVar("M", bound=BaseModel)


class Conversation:
    """The remembered turns of the chat, thread or topic that the message came from, or what of them is one person's."""

    def __init__(self, acts: Acts, person: str = "") -> None:
        self._acts = acts
        self._person = person

    def of(self, person: Person) -> Conversation:
        """What this person said here and was answered, as if nobody else were there."""
        return Conversation(self._acts, person.id)

    async def turns(self, budget: int) -> list[Turn]:
        """The newest turns that fit `budget` tokens, oldest first, cut in blocks so that prompts keep their prefix."""
        return await self._acts.turns(budget, self._person)

    async def append(self, turn: Turn) -> None:
        """Remembers a turn; only handlers of `ordered` routes may."""
        await self._acts.append(turn)

    async def withdraw(self, message: str) -> None:
        """Forgets the turns that came of the message with this id; only handlers of `ordered` routes may."""
        await self._acts.withdraw(message)

    async def reset(self) -> None:
        """Forgets every turn, and the summary; only handlers of `ordered` routes may."""
        await self._acts.reset(self._person)

    async def summary(self) -> Summary:
        """What was said before the turns that are shown; an empty one where nobody summed up, or something of it was taken back since."""
        return await self._acts.summary(self._person)

    async def condense(self, summary: Summary) -> None:
        """Keeps a summary. Its `forgotten` is that of the summary which was read before the turns that it sums up."""
        await self._acts.condense(summary, self._person)


class Stored:
    """The plugin's own data, typed, per server, chat or person. The core gives it a lifetime, export and deletion."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts

    async def get(self, model: type[M], scope: Scope, key: str = "", *, of: Person | None = None) -> M | None:
        """The stored value, or None. One that no longer fits `model` raises pydantic's ValidationError.

        With the scope "person", `of` reads what is kept for somebody else than the sender.
        """
        found = await self._acts.load(scope, key, of)
        return None if found is None else model.model_validate_json(found)

    async def put(self, value: BaseModel, scope: Scope, key: str = "", *, ttl: float | None = None) -> None:
        """Stores the value; `ttl` in seconds, None keeps it until the server or the person is forgotten."""
        await self._acts.save(scope, key, value.model_dump_json().encode(), ttl)

    async def delete(self, scope: Scope, key: str = "") -> None:
        """Removes the value; one that is not there is no error."""
        await self._acts.save(scope, key, None, None)


class Context:
    """One handler's view of one ticket.

    `now` and `settings` are as they were when the ticket first ran; `ref` is the reference id that errors quote; `level` is what the person
    may do here. `message` is what was said; `random` gives the same numbers on every replay; `conversation`, `store`, `choices`,
    `permissions`, `house`, `personal` and `quotas` are a Conversation, Stored, ServerChoices, Permissions, House, Personal and Quotas.
    """

    def __init__(self, message: Message, settings: BaseModel, now: datetime, ref: str, acts: Acts, level: Level = "member") -> None:
        self.message = message
        self.level: Level = level
        self.settings: Any = settings
        self.now = now
        self.ref = ref
        self.conversation = Conversation(acts)
        self.store = Stored(acts)
        self.choices = ServerChoices(acts)
        self.permissions = Permissions(acts)
        self.house = House(acts)
        self.personal = Personal(acts)
        self.quotas = Quotas(acts)
        self._acts = acts

    @cached_property
    def random(self) -> Random:
        """Gives the same numbers on every replay, for dice and choices."""
        return Random(self.ref)  # noqa: S311

    @property
    def person(self) -> Person:
        """Who asked."""
        return self.message.sender

    @property
    def address(self) -> Address:
        """Where it was asked."""
        return self.message.address

    async def commands(self) -> list[Usable]:
        """The commands that the person may use here, of all plugins, in the person's language."""
        return await self._acts.commands()

    @property
    def limits(self) -> Limits:
        """What may be sent here."""
        return self._acts.limits

    async def models(self, job: type[Job[Any]] | None = None) -> list[str]:
        """The names of the models that workers serve now; of those alone that run such jobs, where they are named."""
        return await self._acts.models(job.kind if job else "")

    async def run(self, job: Job[R], *, quiet: bool = False) -> R:
        """Runs a job while the status line tells how it goes, unless it is `quiet`.

        Raises JobError or UserError; not catching them is fine.
        """
        return await self._acts.run(job, None, quiet)

    async def stream(self, job: Job[R], show: Show, *, quiet: bool = False) -> R:
        """Runs a job and shows each partial in the chat; what the handler returns replaces it. `quiet` tells nothing of the wait."""
        return await self._acts.run(job, show, quiet)

    async def tools(self) -> tuple[Function, ...]:
        """What a model may call for this person here, for `Generate.tools`: of plugins that are on, and that they may use."""
        return await self._acts.tools()

    async def call(self, call: Call) -> Reply:
        """Runs a tool for this person, whatever made the model want it: its words are data for the model, its other parts are for the chat.

        Where there is no such tool for them, its arguments are wrong, or it did not work, the words say so.
        """
        return await self._acts.call(call)

    async def reply(self, reply: Reply | str) -> None:
        """Sends a message of its own, beside the one that the handler returns."""
        await self._acts.post(Reply(reply) if isinstance(reply, str) else reply)

    async def forward(self, message: Message) -> None:
        """Hands a message (a transcript, say) to the routes, as if it had just been said."""
        await self._acts.forward(message)

    async def fetch(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b"", limit: int = 1 << 20
    ) -> Fetched:
        """An HTTP request that cannot reach private addresses; at most `limit` bytes of the body."""
        return await self._acts.fetch(method, url, headers or {}, body, limit)

    async def schedule(self, name: str, payload: BaseModel, at: datetime) -> str:
        """Fires the plugin's Schedule of this name here, for this person, at that time; the id is for `unschedule`."""
        return await self._acts.schedule(name, payload.model_dump(mode="json"), at.timestamp())

    async def unschedule(self, id: str) -> None:
        """Takes a firing back; one that has fired is no error."""
        await self._acts.unschedule(id)

    async def read(self, source: Source, *, limit: int = 25 << 20) -> bytes:
        """The bytes of an attachment or a blob; more than `limit` is a UserError."""
        return await self._acts.read(source, limit)

    async def keep(self, content: bytes, mime: str, name: str = "") -> Blob:
        """Stores bytes for a job or a reply."""
        return await self._acts.keep(content, mime, name)

    def clips(
        self, audio: Audio, *, longest: float, total: float = 3600.0, ahead: int = 2
    ) -> AbstractAsyncContextManager[AsyncIterator[Clip]]:
        """Decodes audio of any usual format in a limited process and cuts it into clips of `longest` seconds at most, one by one.

        A file that is corrupt, no audio at all, or longer than `total` seconds is a UserError as soon as that is known. The bytes of the
        newest `ahead` clips are kept, so that so many may be worked on at once: whoever asks for the next one has done with all but
        `ahead` - 1. When the context is left, none are kept.
        """
        return self._acts.clips(audio, longest, total, ahead)

    async def picture(self, image: Image, *, side: int = 2048) -> Canvas:
        """Reads a picture of any usual format in a limited process and shrinks it until no side is longer than `side` pixels.

        A file that is corrupt, no picture at all, or far too large once unpacked is a UserError.
        """
        return await self._acts.picture(image, side)

    async def paper(self, source: Source, *, letters: int = 20_000) -> Paper:
        """Reads at most `letters` of a PDF's words in a limited process.

        One that is locked, damaged, without words, or takes too much is a UserError.
        """
        return await self._acts.paper(source, letters)

    async def remove(self) -> None:
        """Takes away the message below which somebody clicked, if it is the bot's."""
        await self._acts.remove()

    async def trace(self, message: str = "") -> Trace | None:
        """The path of a message here, or of the one that it answers; "" for the person's last. None where nothing is known of it.

        Raises Refused for messages of others, which admins may ask about.
        """
        return await self._acts.trace(message)
