"""What of a conversation the model is shown: its newest turns, and before them a summary that the model made. Who asks: `front.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from bot import Context, Conversation, Generate, JobError, Route, Schedule, Scope, Summary, Text, Turn, UserError, estimate_tokens
from bot.turns import boundary
from plugins.chat import tasks
from plugins.chat.config import Served
from plugins.chat.documents import shortened
from plugins.chat.room import SHARE, room, space

EARLIER = "Earlier"
"""Under this name the summary stands before what people said; it is made of their words, so it is none of the persona's."""

PATIENCE = Generate.timeout
"""Seconds in which no other summary is begun beside one that is under way, or behind one that failed."""

FRAME = 40
"""Tokens for the name in front of a text."""


class Due(BaseModel):
    """What the schedule of a summary says: nothing, since it is made of what has left the memory by then."""


class Begun(BaseModel):
    """That a summary is under way: of several questions meanwhile none has the same turns summed up again."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the model is shown of a conversation. It has `end` tokens so far; what stands before `upto` is summed up, or gone."""

    turns: list[Turn]
    end: int = 0
    upto: int = 0


def talk(ctx: Context) -> Conversation:
    """The conversation that the question belongs to: the chat's, or its person's own."""
    return ctx.conversation.of(ctx.person) if ctx.settings.memory == "person" else ctx.conversation


async def recalled(ctx: Context, most: int) -> Recalled:
    """The newest turns, at most so many tokens, behind the summary of what has left the memory."""
    conversation, settings = talk(ctx), ctx.settings
    turns = await conversation.turns(most)
    end = turns[-1].offset + turns[-1].tokens if turns else 0
    if not settings.summary or not turns or not turns[0].offset:
        return Recalled(turns, end)
    summary = await conversation.summary()
    return Recalled([_earlier(summary), *_asked(turns)] if summary.text else turns, end, summary.upto)


def _earlier(summary: Summary) -> Turn:
    return Turn(role="person", name=EARLIER, parts=(Text(summary.text),), tokens=estimate_tokens(summary.text))


def _asked(turns: Sequence[Turn]) -> list[Turn]:
    """Without an answer at the beginning, whose question has left."""
    first = next((index for index, turn in enumerate(turns) if turn.role == "person"), 0)
    return list(turns[first:])


def lines(turns: Iterable[Turn]) -> str:
    """Who said what, a line each."""
    return "\n".join(f"{turn.name or 'Bot'}: {turn.text}" for turn in turns if turn.text)


def split(turns: Sequence[Turn], most: int) -> list[list[Turn]]:
    """In parts of at most `most` tokens each; a turn that is longer alone loses its end."""
    parts: list[list[Turn]] = []
    room = 0
    for turn in turns:
        text = shortened(turn.text, most - FRAME)[0]
        tokens = estimate_tokens(f"{turn.name}: {text}")
        if tokens > room:
            parts.append([])
            room = most
        parts[-1].append(turn.model_copy(update={"parts": (Text(text),)}))
        room -= tokens
    return parts


class Condensing:
    """Sums up what leaves the memory, once an answer stands: nobody waits for it."""

    def __init__(self, chosen: Callable[[Context], Served]) -> None:
        self._chosen = chosen

    def routes(self) -> Iterable[Route]:
        """What fires by itself."""
        return [Schedule("condense", Due, self.condense)]

    async def follow(self, ctx: Context, recalled: Recalled, *more: Turn) -> None:
        """Has summed up what the next question will not be shown, whoever said it: the bot, or others who were overheard."""
        after = recalled.end + sum(turn.tokens for turn in more)
        if not ctx.settings.summary or boundary(after, self._room(ctx)) <= recalled.upto:
            return
        if await ctx.store.get(Begun, *_place(ctx)) is None:
            await self._begin(ctx)

    async def condense(self, ctx: Context, due: Due) -> None:
        """Sums up the oldest that has left since the summary before, as much as the model is shown at once, and then has the rest done.

        Where it fails, nobody is told, since nobody asked for it; it is tried again behind a later question.
        """
        conversation = talk(ctx)
        before = await conversation.summary()
        left, upto = await _left(conversation, before, self._room(ctx))
        try:
            after = await self._after(ctx, before, left, upto) if upto > before.upto else before
        except (JobError, UserError):
            return
        if after is not before:
            await conversation.condense(after)
        if after.upto < upto:
            await self._begin(ctx)
        else:
            await ctx.store.delete(*_place(ctx))

    async def _after(self, ctx: Context, before: Summary, left: Sequence[Turn], upto: int) -> Summary:
        model = self._chosen(ctx)
        most = space(ctx.settings, model, tasks.condense().turns("", tuned=model.tuned))
        piece = next(iter(split(left, most - estimate_tokens(before.text))), [])
        text = await self._summed(ctx, before, piece) if piece else ""
        end = left[len(piece)].offset if len(piece) < len(left) else upto
        return Summary(text=text or before.text, upto=end, forgotten=before.forgotten)

    def _room(self, ctx: Context) -> int:
        return room(ctx.settings, self._chosen(ctx))

    async def _begin(self, ctx: Context) -> None:
        await ctx.store.put(Begun(), *_place(ctx), ttl=PATIENCE)
        await ctx.schedule("condense", Due(), ctx.now)

    async def _summed(self, ctx: Context, before: Summary, piece: Sequence[Turn]) -> str:
        model, task = self._chosen(ctx), tasks.condense()
        said = [_earlier(before)] if before.text else []
        job = Generate(
            model=model.name,
            turns=task.turns(lines([*said, *piece]), tuned=model.tuned),
            max_tokens=max(32, min(ctx.settings.max_tokens, self._room(ctx) // SHARE)),
            temperature=0.0,
            stop=() if model.tuned else task.stops,
        )
        return (await ctx.run(job)).text


async def _left(conversation: Conversation, before: Summary, budget: int) -> tuple[list[Turn], int]:
    """The turns behind a summary that are not shown any more, as far as they are kept, and where those begin that are."""
    shown = await conversation.turns(budget)
    if not shown or shown[0].offset <= before.upto:
        return [], 0
    # `boundary` leaves out less than half of what it is given: of twice as much as lies behind the summary all of that stays
    turns = await conversation.turns(2 * (shown[-1].offset + shown[-1].tokens - before.upto))
    return [turn for turn in turns if before.upto <= turn.offset < shown[0].offset], shown[0].offset


def _place(ctx: Context) -> tuple[Scope, str]:
    """Where it is kept that a summary is under way: with the chat, or with the person whose conversation it is."""
    return ("person", f"condensing/{ctx.address.conversation}") if ctx.settings.memory == "person" else ("chat", "condensing")
