"""Takes what is said to the bot to the parrot; what it does is chosen by the first word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field

from bot import (
    Action,
    Button,
    Choice,
    Command,
    Completing,
    Context,
    Form,
    JobError,
    Listener,
    NoArgs,
    Reaction,
    Reply,
    Route,
    Select,
    Text,
    hookimpl,
)
from bot.testing.echo import Again, Echo, Picked


class Say(BaseModel):
    """Options of every kind."""

    words: str = Field(min_length=2, max_length=100, description="What to say.")
    times: int = Field(default=1, ge=1, le=3, description="How often.")
    tone: Literal["soft", "loud"] = Field(default="soft", description="How.")
    secretly: bool = Field(default=False, description="To you alone.")


class Plugin(Echo):
    """Echoes, in forms that not every platform has."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Listener("echo", lambda message: message.addressed, self.echo),
            Command("say", "Say something.", Say, self.utter, completions={"words": self.greeting}),
            Command("quote", "Say it again.", NoArgs, self.quote, menu=True),
            Action("again", Again, self.again),
            Action("want", Again, self.want),
            Action("picked", Picked, self.picked),
            Reaction("liked", "❤️", self.liked),
        ]

    async def utter(self, ctx: Context, args: Say) -> Reply:
        words = " ".join([args.words] * args.times)
        if args.words == "slowly":
            return await self.parroted(ctx, "one two three four")
        return Reply(words.upper() if args.tone == "loud" else words, private=args.secretly)

    async def quote(self, ctx: Context, args: NoArgs) -> str:
        said = ctx.message.reply_to
        return f"{said.sender.name}: {said.parts[0].text}" if said else "There is nothing to quote."

    async def want(self, ctx: Context, args: Again) -> Reply:
        return Reply(f"{ctx.person.name} wants {args.words}", instead=True)

    async def greeting(self, asked: Completing) -> Sequence[str]:
        return [f"{asked.text} there", f"{asked.text} everybody"]

    async def liked(self, ctx: Context) -> str:
        said = ctx.message.reply_to
        return f"{ctx.person.name} likes {said.parts[0].text if said else 'something'}"

    async def echo(self, ctx: Context) -> Reply:
        word = ctx.message.text.replace("@Hobnob", "").strip().partition(" ")[0]
        if word == "fail":
            raise JobError("on purpose")
        if word == "panel":
            cakes = (Choice("Apple", "apple cake"), Choice("Plum", "plum cake", chosen=True))
            form = Form.of("Another cake", Again, {"words": "nut cake"})
            return Reply("Which cake?", buttons=[Select("want", "words", cakes), Button("Another", "want", form=form)])
        if word == "beside":
            await ctx.reply("Beside.")
        files = [part for part in ctx.message.parts if not isinstance(part, Text)]
        if word == "count":
            return Reply(f"{len(files)} files")
        if word == "back" and files:
            kept = [replace(part, source=await ctx.keep(await ctx.read(part.source), part.source.mime, part.source.name)) for part in files]
            return Reply("Here it is.", *kept)
        return await super().echo(ctx)
