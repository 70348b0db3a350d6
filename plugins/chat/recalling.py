"""What of a conversation the model is shown: its newest turns, and before them a summary that the model made. Who asks: `front.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel

from bot import Context, Conversation, Generate, JobError, Route, Schedule, Summary, Text, Turn, UserError, estimate_tokens
from bot.turns import boundary
from plugins.chat import tasks
from plugins.chat.config import Served

EARLIER = "Earlier"
"""Under this name the summary stands before what people said; it is made of their words, so it is none of the persona's."""

SHARE = 5
"""The summary may take a fifth of what the turns may."""

BACK = 3
"""How many times the memory is read back for what has left it; a question may be as long as all of it."""


class Due(BaseModel):
    """What the schedule of a summary says: nothing, since it is made of what has left the memory by then."""


def talk(ctx: Context) -> Conversation:
    """The conversation that the question belongs to: the chat's, or its person's own."""
    return ctx.conversation.of(ctx.person) if ctx.settings.memory == "person" else ctx.conversation


async def recalled(ctx: Context) -> list[Turn]:
    """The newest turns, behind the summary of what has left the memory."""
    conversation, settings = talk(ctx), ctx.settings
    turns = await conversation.turns(settings.context_tokens)
    if not settings.summary or not turns or not turns[0].offset:
        return turns
    summary = await conversation.summary()
    return [_earlier(summary), *_asked(turns)] if summary.text else turns


def _earlier(summary: Summary) -> Turn:
    return Turn(role="person", name=EARLIER, parts=(Text(summary.text),), tokens=estimate_tokens(summary.text))


def _asked(turns: Sequence[Turn]) -> list[Turn]:
    """Without an answer at the beginning, whose question has left."""
    first = next((index for index, turn in enumerate(turns) if turn.role == "person"), 0)
    return list(turns[first:])


def lines(turns: Iterable[Turn]) -> str:
    """Who said what, a line each."""
    return "\n".join(f"{turn.name or 'Bot'}: {turn.text}" for turn in turns if turn.text)


class Condensing:
    """Sums up what leaves the memory, once an answer stands: nobody waits for it."""

    def __init__(self, chosen: Callable[[Context], Served]) -> None:
        self._chosen = chosen

    def routes(self) -> Iterable[Route]:
        """What fires by itself."""
        return [Schedule("condense", Due, self.condense)]

    async def follow(self, ctx: Context, history: Sequence[Turn], *more: Turn) -> None:
        """Has a summary made if the next question will be shown less than this one was."""
        before, budget = history[-1].offset + history[-1].tokens if history else 0, ctx.settings.context_tokens
        after = before + sum(turn.tokens for turn in more)
        if ctx.settings.summary and boundary(after, budget) > boundary(before, budget):
            await ctx.schedule("condense", Due(), ctx.now)

    async def condense(self, ctx: Context, due: Due) -> None:
        """Out of the summary so far and what has left since. Where it fails, the next one has more to sum up."""
        conversation, budget = talk(ctx), ctx.settings.context_tokens
        before = await conversation.summary()
        shown = await conversation.turns(budget)
        upto = shown[0].offset if shown else 0
        left = [turn for turn in await conversation.turns(BACK * budget) if before.upto <= turn.offset < upto]
        if not left:
            return
        model, task = self._chosen(ctx), tasks.condense()
        said = [_earlier(before)] if before.text else []
        job = Generate(
            model=model.name,
            turns=task.turns(lines([*said, *left]), tuned=model.tuned),
            max_tokens=max(32, min(ctx.settings.max_tokens, budget // SHARE)),
            temperature=0.0,
            stop=() if model.tuned else task.stops,
        )
        try:
            answer = await ctx.run(job)
        except (JobError, UserError):  # nobody asked for it, so nobody is told
            return
        if answer.text:
            await conversation.condense(Summary(text=answer.text, upto=upto, forgotten=before.forgotten))
