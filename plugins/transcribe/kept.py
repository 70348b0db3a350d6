"""What the plugin keeps: notes and their texts for a day, who keeps theirs out, what a chat was told. What is said of it: `front.py`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot import Context, Person, Quote, UserError
from plugins.transcribe.notes import REMEMBERED, Note, Out
from plugins.transcribe.settings import Policy
from plugins.transcribe.transcripts import Whole

heard_json: TypeAdapter[list[Whole]] = TypeAdapter(list[Whole])


class Told(BaseModel):
    """The policy that a chat was told of last."""

    model_config = ConfigDict(frozen=True)

    policy: str


class Usual(BaseModel):
    """The language of a chat's last recording."""

    model_config = ConfigDict(frozen=True)

    language: str


class Last(BaseModel):
    """The message of a chat's last note that is remembered."""

    model_config = ConfigDict(frozen=True)

    message: str


class Kept:
    """All of it lies behind `ctx.store`; nothing is in memory."""

    async def out(self, ctx: Context, person: Person) -> bool:
        """Whether they keep their own notes out. Where a platform does not say who it was, nobody does."""
        return await ctx.store.get(Out, "person", "out", of=person) is not None

    async def choose(self, ctx: Context, *, out: bool) -> None:
        """Their choice, for good."""
        if out:
            await ctx.store.put(Out(), "person", "out")
        else:
            await ctx.store.delete("person", "out")

    async def first(self, ctx: Context, policy: Policy) -> bool:
        """Whether this is the first note under a policy that has to be told."""
        told = await ctx.store.get(Told, "chat", "told")
        if told is not None and told.policy == policy:
            return False
        await ctx.store.put(Told(policy=policy), "chat", "told")
        return policy in ("always", "addressed")

    async def put(self, ctx: Context, note: Note) -> None:
        """Remembers a note, so that a reaction finds it, and who speaks of the last one."""
        await ctx.store.put(note, "chat", note.key, ttl=REMEMBERED)
        await ctx.store.put(Last(message=note.message), "chat", "last", ttl=REMEMBERED)

    async def last(self, ctx: Context) -> Note | None:
        """The note that the chat dealt with last, if one is remembered."""
        last = await ctx.store.get(Last, "chat", "last")
        return await ctx.store.get(Note, "chat", f"note:{last.message}") if last else None

    async def find(self, ctx: Context, quote: Quote | None) -> Note | None:
        """The note of this message, if it is remembered."""
        return await ctx.store.get(Note, "chat", f"note:{quote.id}") if quote else None

    async def written(self, ctx: Context, note: Note, heard: Sequence[Whole]) -> Note:
        """Remembers what was heard, too."""
        content = heard_json.dump_json(list(heard))
        note = note.model_copy(update={"text": await ctx.keep(content, "application/json", "transcript.json")})
        await self.put(ctx, note)
        return note

    async def text(self, ctx: Context, note: Note) -> list[Whole] | None:
        """What was heard, while it is kept."""
        found = note.text or ((await ctx.store.get(Note, "chat", note.key)) or note).text
        if found is None:
            return None
        try:
            return heard_json.validate_json(await ctx.read(found))
        except (UserError, ValidationError):  # of an older release, which kept another form
            return None

    async def usual(self, ctx: Context, heard: Sequence[Whole]) -> str:
        """The language that is expected here: the server's, else that of the chat's last recording, else that of the person's program."""
        last = await ctx.store.get(Usual, "chat", "language")
        now = next((one.language for one in heard if one.parts), "")
        if now and (last is None or last.language != now):
            await ctx.store.put(Usual(language=now), "chat", "language")
        return ctx.settings.language or (last.language if last else ctx.message.language.partition("-")[0])
