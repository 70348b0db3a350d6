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
    File,
    Form,
    Generate,
    JobError,
    Listener,
    NoArgs,
    Partial,
    Reaction,
    Reply,
    Route,
    Select,
    Text,
    Turn,
    UserError,
    hookimpl,
)


class Say(BaseModel):
    """Options of every kind."""

    words: str = Field(min_length=2, max_length=100, description="What to say.")
    times: int = Field(default=1, ge=1, le=3, description="How often.")
    tone: Literal["soft", "loud"] = Field(default="soft", description="How.")
    secretly: bool = Field(default=False, description="To you alone.")


class Again(BaseModel):
    """What a button carries."""

    words: str


class Plugin:
    """Echoes."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Listener("echo", lambda message: message.addressed, self.echo),
            Command("say", "Say something.", Say, self.say, completions={"words": self.greeting}),
            Command("quote", "Say it again.", NoArgs, self.quote, menu=True),
            Action("again", Again, self.again),
            Action("want", Again, self.want),
            Reaction("liked", "❤️", self.liked),
        ]

    async def say(self, ctx: Context, args: Say) -> Reply:
        words = " ".join([args.words] * args.times)
        if args.words == "slowly":
            return await self._repeat(ctx, "one two three four")
        return Reply(words.upper() if args.tone == "loud" else words, private=args.secretly)

    async def quote(self, ctx: Context, args: NoArgs) -> str:
        said = ctx.message.reply_to
        return f"{said.sender.name}: {said.parts[0].text}" if said else "There is nothing to quote."

    async def again(self, ctx: Context, args: Again) -> str:
        return f"{ctx.person.name} wants {args.words} again"

    async def want(self, ctx: Context, args: Again) -> Reply:
        return Reply(f"{ctx.person.name} wants {args.words}", instead=True)

    async def greeting(self, asked: Completing) -> Sequence[str]:
        return [f"{asked.text} there", f"{asked.text} everybody"]

    async def liked(self, ctx: Context) -> str:
        said = ctx.message.reply_to
        return f"{ctx.person.name} likes {said.parts[0].text if said else 'something'}"

    async def echo(self, ctx: Context) -> Reply:
        word, _, rest = ctx.message.text.replace("@Hobnob", "").strip().partition(" ")
        if word == "refuse":
            raise UserError("I would rather not.")
        if word == "fail":
            raise JobError("on purpose")
        if word == "draw":
            return Reply("Here it is.", File(await ctx.keep(b"a picture", "text/plain", "picture.txt")))
        if word == "buttons":
            return Reply("Press one.", buttons=[Button("Again", "again", {"words": rest or "more"})])
        if word == "panel":
            cakes = (Choice("Apple", "apple cake"), Choice("Plum", "plum cake", chosen=True))
            form = Form.of("Another cake", Again, {"words": "nut cake"})
            return Reply("Which cake?", buttons=[Select("want", "words", cakes), Button("Another", "want", form=form)])
        if word == "long":
            return Reply("\n\n".join(f"Paragraph {number}. " + "word " * 40 for number in range(int(rest))))
        if word == "beside":
            await ctx.reply("Beside.")
        files = [part for part in ctx.message.parts if not isinstance(part, Text)]
        if word == "count":
            return Reply(f"{len(files)} files")
        if word == "back":
            kept = [replace(part, source=await ctx.keep(await ctx.read(part.source), part.source.mime, part.source.name)) for part in files]
            return Reply("Here it is.", *kept)
        sizes = [len(await ctx.read(part.source)) for part in files]
        answer = await self._repeat(ctx, ctx.message.text)
        return Reply(" ".join([answer.text, *(f"[{size} bytes]" for size in sizes)]))

    async def _repeat(self, ctx: Context, words: str) -> Reply:
        job = Generate(model="parrot", turns=(Turn(role="person", parts=(Text(words),), name=ctx.person.name),))
        return Reply((await ctx.stream(job, self.show)).text)

    @staticmethod
    def show(partial: Partial) -> Reply | None:
        return Reply(partial.text) if partial.kind == "text" else None
