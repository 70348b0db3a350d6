"""Answers every message with its own words; what begins with "long" in two posts, what does not begin so or with "tell" in no order.

Some words ask for trouble: "raise" and "huge" here, others in the model.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, Field

from bot import Command, Context, Generate, Image, Listener, Message, Partial, Reply, Route, Text, Turn, hookimpl

LONG = {"room": 17_000, "discord": 3_000, "telegram": 6_000}
"""Characters that do not fit into one post of a platform, but into two."""

HUGE = 30_000_000
"""Characters that no platform takes, as a file either."""


class Words(BaseModel):
    """What the command takes."""

    words: str = Field(description="What to say.")


def ordered(message: Message) -> bool:
    return message.text.startswith(("tell", "long"))


class Plugin:
    """Relays."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Listener("aside", lambda message: not ordered(message), self.aside),
            Listener("relay", ordered, self.remember, ordered=True),
            Command("relay", "Says what you say.", Words, self.command),
        ]

    async def remember(self, ctx: Context) -> Reply:
        asked = Turn(role="person", parts=ctx.message.parts, message=ctx.message.id, tokens=1)
        await ctx.conversation.append(asked)
        reply = await self.answer(ctx, asked)
        await ctx.conversation.append(Turn(role="bot", parts=asked.parts, message=ctx.message.id, tokens=1))
        return reply

    async def aside(self, ctx: Context) -> Reply:
        for part in ctx.message.parts:
            if isinstance(part, Image):
                await ctx.picture(part)
        return await self.answer(ctx, Turn(role="person", parts=ctx.message.parts))

    async def command(self, ctx: Context, args: Words) -> Reply:
        return await self.answer(ctx, Turn(role="person", parts=(Text(args.words),)))

    async def answer(self, ctx: Context, turn: Turn) -> Reply:
        answer = await ctx.stream(Generate(model="relay", turns=(turn,)), self.show)
        match answer.text.partition(" ")[0]:
            case "long":
                return Reply(f"{answer.text}\n" * (LONG[ctx.address.connector] // len(answer.text)))
            case "huge":
                return Reply(answer.text + "\n" + "much " * (HUGE // 5))
            case "raise":
                raise RuntimeError("as asked")
        return Reply(answer.text)

    @staticmethod
    def show(partial: Partial) -> Reply | None:
        return Reply(partial.text) if partial.kind == "text" else None
