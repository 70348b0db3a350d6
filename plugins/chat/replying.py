"""Answers a question and remembers both; answers it again, or goes on where an answer was cut off. Which message asks what: `front.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from bot import Action, Button, Command, Context, Generate, NoArgs, Reply, Route, Text, Turn, later, tr, translated
from plugins.chat.choosing import Choosing
from plugins.chat.recalling import Condensing, Recalled, recalled, talk
from plugins.chat.wording import described, labels, reopened
from plugins.chat.writing import Written, write

NOTHING = later("I could not think of an answer to that. Please ask in other words.")

GONE = later("That is too long ago: I do not remember it any more.")

LIVELY = 0.8
"""The least temperature of a second answer: what is likeliest has been said."""


class Asked(BaseModel):
    """What the buttons of an answer say: the id of the message that asked."""

    message: str = ""


class Replying:
    """The answers of all chats; one at a time in each, because every answer is part of the next prompt."""

    def __init__(self, choosing: Choosing) -> None:
        self._choosing = choosing
        self._condensing = Condensing(choosing.chosen)

    def routes(self) -> Iterable[Route]:
        """The commands and buttons of answers that were given."""
        return [
            Command("again", "Answer the last question in other words.", NoArgs, self.again, ordered=True),
            Command("continue", "Go on with an answer that was cut off.", NoArgs, self.go_on, ordered=True),
            Action("again", Asked, self.again, ordered=True),
            Action("continue", Asked, self.go_on, ordered=True),
            *self._condensing.routes(),
        ]

    async def reply(self, ctx: Context, memory: Recalled, asked: Turn, notes: Iterable[str] = (), **changes: Any) -> Reply | str:
        """Question and answer are remembered together: a question that was cancelled or failed leaves nothing behind.

        `notes` stand below the answer; `changes` are those of the job.
        """
        turns = [*memory.turns, asked]
        room = self._choosing.room(ctx) - asked.tokens
        written = await write(ctx, await self._job(ctx, turns, **changes), labels(ctx.message, turns), room=room)
        if not written.text and not written.parts:
            return translated(NOTHING)
        if changes:  # it is not the first answer
            await talk(ctx).withdraw(asked.message)
        await self._remember(ctx, memory, asked, written)
        return _reply(ctx, written.text, written, asked.message, notes)

    async def again(self, ctx: Context, args: NoArgs | Asked) -> Reply | str:
        """Answers a question anew, in other words; the first answer is forgotten."""
        memory, message = await recalled(ctx, self._choosing.room(ctx)), _message(args)
        turns = exchange(memory.turns, message)
        asked = next((turn for turn in turns if turn.role == "person"), None)
        if asked is None:
            return translated(GONE) if message else tr("There is no question to answer again.")
        warmth = max(ctx.settings.temperature, LIVELY)
        shown = replace(memory, turns=_before(memory.turns, asked))
        return await self.reply(ctx, shown, asked, temperature=warmth, seed=ctx.random.getrandbits(32))

    async def go_on(self, ctx: Context, args: NoArgs | Asked) -> Reply | str:
        """Goes on with an answer; the chat is shown what is new, and the whole is remembered."""
        memory, message = await recalled(ctx, self._choosing.room(ctx)), _message(args)
        turns = exchange(memory.turns, message)
        if not turns or turns[-1].role != "bot":
            return translated(GONE) if message else tr("There is no answer to go on with.")
        said, before = turns[-1], _before(memory.turns, turns[0])
        job = await self._job(ctx, [*before, *turns], tools=())
        written = await write(ctx, job, labels(ctx.message, [*before, *turns]), begun=said.text)
        more = written.text.removeprefix(said.text)
        if not more.strip():
            return tr("That was all.")
        await talk(ctx).withdraw(said.message)
        written.tokens += said.tokens
        await self._remember(ctx, memory, turns[0], written)
        return _reply(ctx, reopened(said.text, more), written, said.message)

    async def _remember(self, ctx: Context, memory: Recalled, asked: Turn, written: Written) -> None:
        text = written.text or described(written.parts)
        answered = Turn(
            role="bot", parts=(Text(text),), person=asked.person, message=asked.message, at=ctx.now.timestamp(), tokens=written.tokens
        )
        await talk(ctx).append(asked)
        await talk(ctx).append(answered)  # with the id of the question, so that both leave when it is deleted
        await self._condensing.follow(ctx, memory, asked, answered)

    async def _job(self, ctx: Context, turns: Sequence[Turn], **changes: Any) -> Generate:
        settings, model = ctx.settings, self._choosing.chosen(ctx)
        persona = Turn(role="system", parts=(Text(settings.persona),))
        asked: dict[str, Any] = {"max_tokens": settings.max_tokens, "temperature": settings.temperature}
        if settings.tools and model.tools:
            asked["tools"] = await ctx.tools()
        return Generate(model=model.name, turns=(persona, *turns), **{**asked, **changes})


def exchange(history: Sequence[Turn], message: str = "") -> list[Turn]:
    """The turns that came of this message; without one, of the newest that was answered: others may have spoken since."""
    newest = next((turn.message for turn in reversed(history) if turn.role == "bot"), "")
    return [turn for turn in history if turn.message and turn.message == (message or newest)]


def _before(history: Sequence[Turn], asked: Turn) -> list[Turn]:
    return list(history[: history.index(asked)])


def _message(args: NoArgs | Asked) -> str:
    return args.message if isinstance(args, Asked) else ""


def _reply(ctx: Context, text: str, written: Written, message: str, notes: Iterable[str] = ()) -> Reply:
    used = f"_({tr('Used: {tools}.', tools=', '.join(_used(written)))})_" if written.used else ""
    shown = filter(None, (f"{text} …" if written.cut else text, used, *notes))
    below = {"message": message}
    more = [Button(tr("Continue"), "continue", below)] if written.cut else []
    buttons = [*more, Button(tr("Again"), "again", below)] if ctx.settings.buttons else []
    return Reply(*shown, *written.parts, buttons=buttons)


def _used(written: Written) -> list[str]:
    """The tools by name, once each."""
    return [tr("{tool} (in part)", tool=tool) if tool in written.shortened else tool for tool in dict.fromkeys(written.used)]
