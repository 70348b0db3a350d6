"""Stands behind a Context whose acts are scripted. A real router behind a room: `room.py`, `house.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from bot.acts import Canvas, Clip, Fetched, Paper, Scope, Show
from bot.choices import Change, Chosen, Deed, Where
from bot.connector import Limits
from bot.errors import UserError
from bot.jobs import Function, Job, Partial, Result
from bot.messages import Audio, Blob, Image, Message, Person, Source
from bot.permissions import Grant, Held, Permit, Usable
from bot.personal import Kept, Language
from bot.replies import Reply
from bot.testing.deciding import ScriptedHouse
from bot.turns import Call, Summary, Turn, fit

R = TypeVar("R", bound=Result)

Scripted = Result | Exception | tuple[Partial | Result | Exception, ...]
"""What a job comes back with or raises; as a tuple, behind the partials that it emits first."""


class ScriptedActs(ScriptedHouse):
    """Stands behind a `Context` in tests of front halves: jobs are answered from `script`, in order, the rest lies in memory.

    What a handler does is kept: `jobs`, `shown` (while a job ran), `called` tools, `posted`, `forwarded`, `scheduled`, `remembered`
    turns, `summaries` and `stored` data, `changes` of choices, `stopped` plugins, `permitted` and `ordered` rules, and `removed`, how
    often it took the clicked message away. What it asks for is put there by the test: `files`, `papers`, `cut` clips and `canvases` by
    the id of what is sent, `pages` by address, tools that are `offered` and their `results`, `busy` plugins, `refusals`, `usable`
    commands, `served` models, `limits`, what is stored `of` others by their ids, and `holding`, what holds for plugins here, the one that
    is tested first.
    """

    def __init__(self, *script: Scripted) -> None:
        super().__init__()
        self.script = list(script)
        self.jobs: list[Job[Any]] = []
        self.shown: list[Reply] = []
        self.called: list[Call] = []
        self.offered: tuple[Function, ...] = ()
        self.results: dict[str, Reply] = {}
        self.posted: list[Reply] = []
        self.forwarded: list[Message] = []
        self.remembered: list[Turn] = []
        self.summaries: dict[str, Summary] = {}
        self.scheduled: dict[str, tuple[str, Mapping[str, Any], float]] = {}
        self.stored: dict[tuple[Scope, str], bytes] = {}
        self.files: dict[str, bytes] = {}
        self.cut: dict[str, list[Clip]] = {}
        self.canvases: dict[str, Canvas] = {}
        self.removed = 0
        self.pages: dict[str, Fetched] = {}
        self.papers: dict[str, Paper] = {}
        self.holding: list[Chosen] = []
        self.changes: list[Change] = []
        self.usable: list[Usable] = []
        self.served: list[str] = []
        self.permitted: list[Permit] = []
        self.refusals: dict[str, str] = {}
        self.busy: dict[str, int] = {}
        self.stopped: list[str] = []
        self.spoken = ""
        self.of: dict[tuple[str, str], bytes] = {}
        self.limits = Limits(text=2000, file=1 << 20, edit_interval=1.0)

    async def run(self, job: Job[R], show: Show | None, quiet: bool = False) -> R:
        """The next entry of the script; AssertionError when there is none left."""
        self.jobs.append(job)
        assert self.script, f"no answer is scripted for {job!r}"
        entry = self.script.pop(0)
        *partials, outcome = entry if isinstance(entry, tuple) else (entry,)
        shown: Iterable[Reply | None] = (show(partial) for partial in partials) if show else ()  # type: ignore[arg-type]  # all but the last
        self.shown += [reply for reply in shown if reply is not None]
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, job.result_type()), f"expected a {job.result_type().__name__} for {job!r}, found {outcome!r}"
        return outcome

    async def tools(self) -> tuple[Function, ...]:
        """What `offered` has."""
        return self.offered

    async def call(self, call: Call) -> Reply:
        """Keeps it in `called`; what `results` has for its name, or that there is no such tool."""
        self.called.append(call)
        return self.results.get(call.name, Reply(f"There is no tool {call.name} here.", fault=True))

    async def post(self, reply: Reply) -> None:
        """Keeps it in `posted`."""
        self.posted.append(reply)

    async def turns(self, budget: int, person: str) -> list[Turn]:
        """What of `remembered` fits."""
        return fit(_of(self.remembered, person), budget)

    async def append(self, turn: Turn) -> None:
        """Keeps it in `remembered`, with the offset that the store would give it."""
        offset = sum(before.tokens for before in self.remembered)
        self.remembered.append(turn.model_copy(update={"offset": offset}))

    async def withdraw(self, message: str) -> None:
        """Takes them from `remembered`."""
        self.remembered = [turn for turn in self.remembered if turn.message != message]

    async def reset(self, person: str) -> None:
        """Empties `remembered`, of one person's turns or of all."""
        self.remembered = [turn for turn in self.remembered if person not in ("", turn.person)]
        self.summaries = {whose: summary for whose, summary in self.summaries.items() if person not in ("", whose)}

    async def summary(self, person: str) -> Summary:
        """What is in `summaries`."""
        return self.summaries.get(person, Summary())

    async def condense(self, summary: Summary, person: str) -> None:
        """Keeps it in `summaries`."""
        self.summaries[person] = summary

    async def load(self, scope: Scope, key: str, of: Person | None = None) -> bytes | None:
        """What is in `stored`, or of somebody else in `of`."""
        return self.stored.get((scope, key)) if of is None else self.of.get((of.id, key))

    async def save(self, scope: Scope, key: str, value: bytes | None, ttl: float | None) -> None:
        """Keeps it in `stored`, whatever its lifetime."""
        if value is None:
            self.stored.pop((scope, key), None)
        else:
            self.stored[scope, key] = value

    async def chosen(self, plugin: str | None) -> list[Chosen]:
        """What of `holding` is asked for; UserError when there is none of that name."""
        found = [one for one in self.holding if plugin in (None, one.plugin)] if plugin != "" else self.holding[:1]
        if plugin is not None and not found:
            raise UserError(f"There is no plugin {plugin} here.")
        return found

    async def choose(self, change: Change) -> Chosen:
        """Keeps it in `changes` and in `holding`, unchecked; a value that is reset stays as it was."""
        (old,) = await self.chosen(change.plugin)
        given = {name: value for name, value in change.settings.items() if value is not None}
        settings = tuple(replace(one, value=given[one.name], origin=change.where) if one.name in given else one for one in old.settings)
        new = replace(old, settings=settings, on=change.on if isinstance(change.on, bool) else old.on)
        self.holding[self.holding.index(old)] = new
        self.changes.append(change)
        return new

    async def working(self, plugin: str, where: Where) -> int:
        """What `busy` says."""
        return self.busy.get(plugin, 0)

    async def stop(self, plugin: str, where: Where) -> int:
        """Keeps it in `stopped`."""
        self.stopped.append(plugin)
        return self.busy.pop(plugin, 0)

    async def deeds(self, most: int) -> list[Deed]:
        """None."""
        return []

    async def held(self) -> Held:
        """What `permitted` has made of none."""
        return Held(grants=tuple((one.where, Grant(who=one.who, what=one.what, allowed=one.allowed is True)) for one in self.permitted))

    async def permit(self, permit: Permit) -> Held:
        """Keeps it in `permitted`."""
        self.permitted.append(permit)
        return await self.held()

    async def may(self, plugin: str, command: str) -> str:
        """Yes, unless it is in `refusals`, by plugin or command."""
        return self.refusals.get(command or plugin, "")

    async def commands(self) -> list[Usable]:
        """What `usable` has."""
        return self.usable

    async def models(self, kind: str) -> list[str]:
        """What `served` has."""
        return self.served

    async def link(self) -> str:
        """One that leads nowhere."""
        return "https://pages.example/enter?token=once"

    async def kept(self) -> list[Kept]:
        """Nothing."""
        return []

    async def languages(self) -> list[Language]:
        """English alone."""
        return [Language("en", "English")]

    async def speak(self, tag: str) -> None:
        """Keeps it in `spoken`."""
        self.spoken = tag

    async def export(self) -> Blob:
        """An empty file."""
        return await self.keep(b"", "application/zip", "mydata.zip")

    async def forget(self) -> Mapping[str, int]:
        """As if there had been nothing."""
        return {}

    async def fetch(self, method: str, url: str, headers: Mapping[str, str], body: bytes, limit: int) -> Fetched:
        """What `pages` has, or 404."""
        page = self.pages.get(url, Fetched(404, "text/plain", b""))
        return Fetched(page.status, page.mime, page.body[:limit])

    async def forward(self, message: Message) -> None:
        """Keeps it in `forwarded`."""
        self.forwarded.append(message)

    async def schedule(self, name: str, payload: Mapping[str, Any], at: float) -> str:
        """Keeps it in `scheduled`; ids count up."""
        id = str(len(self.scheduled) + 1)
        self.scheduled[id] = name, payload, at
        return id

    async def unschedule(self, id: str) -> None:
        """Takes it out of `scheduled`."""
        self.scheduled.pop(id, None)

    async def read(self, source: Source, limit: int) -> bytes:
        """What `files` has; UserError when there is no such file, or when it is too large."""
        if source.id not in self.files or len(self.files[source.id]) > limit:
            raise UserError(f"The file {source.name or source.id!r} is not there, or too large.")
        return self.files[source.id]

    async def keep(self, content: bytes, mime: str, name: str) -> Blob:
        """Keeps it in `files`; ids count up."""
        blob = Blob(f"kept-{len(self.files) + 1}", mime, len(content), name)
        self.files[blob.id] = content
        return blob

    async def picture(self, image: Image, side: int) -> Canvas:
        """What `canvases` has; UserError when it has nothing, as for a file that is no picture."""
        if image.source.id not in self.canvases:
            raise UserError("This is no picture that I can read.")
        return self.canvases[image.source.id]

    async def paper(self, source: Source, letters: int) -> Paper:
        """What `papers` has; UserError when it has nothing, as for a file that is no PDF."""
        if source.id not in self.papers:
            raise UserError("This is no PDF that I can read, or it is damaged.")
        return replace(self.papers[source.id], text=self.papers[source.id].text[:letters])

    async def remove(self) -> None:
        """Counts it in `removed`."""
        self.removed += 1

    @asynccontextmanager
    async def clips(self, audio: Audio, longest: float, total: float, ahead: int) -> AsyncIterator[AsyncIterator[Clip]]:
        """What `cut` has; UserError when it has nothing, as for a file that is no audio, and behind what is longer than `total`."""
        if audio.source.id not in self.cut:
            raise UserError("There is no sound in this file that I could read.")
        yield self._clips(audio.source.id, total)

    async def _clips(self, id: str, total: float) -> AsyncIterator[Clip]:
        for clip in self.cut[id]:
            if clip.start + clip.seconds > total:
                raise UserError("This recording is too long.")
            yield clip


def _of(turns: Sequence[Turn], person: str) -> list[Turn]:
    """What is of this person, with offsets as if nobody else had spoken; "" is everybody."""
    if not person:
        return list(turns)
    theirs, offset = [], 0
    for turn in (turn for turn in turns if turn.person == person):
        theirs.append(turn.model_copy(update={"offset": offset}))
        offset += turn.tokens
    return theirs
