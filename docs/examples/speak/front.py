"""`/speak` reads something aloud, `/aloud` asks the chat model and says what it answers. How sound comes of words: `model.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import BaseModel, Field

from bot import Audio, Command, Context, Generate, Partial, Progress, Reply, Route, Text, Turn, UserError, hookimpl

from .jobs import Speak
from .settings import Settings

SYSTEM = Turn(role="system", parts=(Text("You answer in two or three short sentences, which are read aloud: no lists, no code."),))


class Words(BaseModel):
    """What `/speak` takes."""

    text: str = Field(default="", description="What to read aloud; the message that you reply to, where it is left out.")


class Question(BaseModel):
    """What `/aloud` takes."""

    question: str = Field(min_length=1, description="What you want to hear about.")


class Plugin:
    """Hobnob makes one."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """`/speak` stands in the menu of a message too."""
        return [
            Command("speak", "Read something aloud.", Words, self.speak, menu=True, example="/speak Dinner is ready."),
            Command("aloud", "Ask, and hear the answer.", Question, self.aloud, example="/aloud why is the sky blue?"),
        ]

    async def speak(self, ctx: Context, args: Words) -> Reply:
        """What was typed, or what the message says that it is about."""
        quoted = ctx.message.reply_to.parts if ctx.message.reply_to else ()
        words = args.text or "\n".join(part.text for part in quoted if isinstance(part, Text))
        return Reply(await _said(ctx, words))

    async def aloud(self, ctx: Context, args: Question) -> Reply:
        """The words come along, for whoever cannot listen now."""
        answer = await ctx.run(Generate(turns=(SYSTEM, Turn(role="person", parts=(Text(args.question),))), max_tokens=200))
        return Reply(answer.text, await _said(ctx, answer.text))


async def _said(ctx: Context, words: str) -> Audio:
    settings: Settings = ctx.settings
    if not (words := plain(words)):
        raise UserError("Please say what I am to read aloud, or reply to a message with it.")
    if len(words) > settings.longest:
        raise UserError(f"I read at most {settings.longest} characters aloud, and this is {len(words)}.")
    spoken = await ctx.stream(Speak(text=words, rate=settings.rate), _shown)
    return Audio(spoken.audio, voice=True, seconds=spoken.seconds)


def plain(words: str) -> str:
    """Without code, links and marks, which nobody wants to hear."""
    words = re.sub(r"```.*?```", " ", words, flags=re.DOTALL)
    words = re.sub(r"\[([^\]]+)\]\([^)]*\)|https?://\S+", r"\1", words)
    return " ".join(re.sub(r"[*_`#>|~]+", " ", words).split())


def _shown(partial: Partial) -> Reply | None:
    return Reply(f"Speaking: {partial.done} of {partial.total} …") if isinstance(partial, Progress) else None
