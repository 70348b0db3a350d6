"""A plugin for tests of connectors: it says what it is told, in every form that an answer can have. What is expected: `contract.py`."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, Field

from bot.context import Context
from bot.errors import UserError
from bot.forms import Button, Form
from bot.hookspecs import hookimpl
from bot.jobs import Generate, Partial
from bot.messages import File, Text
from bot.replies import Reply
from bot.routes import Action, Command, Listener, Route
from bot.turns import Turn


class Say(BaseModel):
    """Words."""

    words: str = Field(min_length=2, max_length=100, description="What to say.")


class Again(BaseModel):
    """What a button carries."""

    words: str


class Picked(BaseModel):
    """What a form asks for."""

    channel: str = Field(description="Which one?", json_schema_extra={"picks": "channel"})


class Echo:
    """What it does is chosen by the first word; the rest goes by way of a model that is called `parrot`."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """A listener, a command, a button."""
        return [
            Listener("echo", lambda message: message.addressed, self.echo),
            Command("say", "Say something.", Say, self.say),
            Action("again", Again, self.again),
            Action("picked", Picked, self.picked),
        ]

    async def say(self, ctx: Context, args: Say) -> Reply:
        """The same words."""
        return Reply(args.words)

    async def again(self, ctx: Context, args: Again) -> str:
        """Who wants it."""
        return f"{ctx.person.name} wants {args.words} again"

    async def picked(self, ctx: Context, args: Picked) -> str:
        """Which channel."""
        return "That is here." if args.channel == ctx.address.place else f"That is {args.channel}."

    async def echo(self, ctx: Context) -> Reply:
        """What is said to the bot."""
        word, _, rest = ctx.message.text.replace("@Hobnob", "").strip().partition(" ")
        match word:
            case "refuse":
                raise UserError("I would rather not.")
            case "draw":
                return Reply("Here it is.", File(await ctx.keep(b"a picture", "text/plain", "picture.txt")))
            case "buttons":
                return Reply("Press one.", buttons=[Button("Again", "again", {"words": rest or "more"})])
            case "pick":
                return Reply("Pick one.", buttons=[Button("Pick", "picked", form=Form.of("Pick", Picked))])
            case "long":
                return Reply("\n\n".join(f"Paragraph {number}. " + "word " * 40 for number in range(int(rest))))
        return await self.repeat(ctx)

    async def repeat(self, ctx: Context) -> Reply:
        """The words, and how large the files are."""
        files = [part for part in ctx.message.parts if part.kind != "text"]
        sizes = [len(await ctx.read(part.source)) for part in files]
        answer = await self.parroted(ctx, ctx.message.text)
        return Reply(" ".join([answer.text, *(f"[{size} bytes]" for size in sizes)]))

    async def parroted(self, ctx: Context, words: str) -> Reply:
        """What the model says, word by word."""
        job = Generate(model="parrot", turns=(Turn(role="person", parts=(Text(words),), name=ctx.person.name),))
        return Reply((await ctx.stream(job, _shown)).text)


def _shown(partial: Partial) -> Reply | None:
    return Reply(partial.text) if partial.kind == "text" else None
