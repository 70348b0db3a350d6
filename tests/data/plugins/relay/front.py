"""Answers every message with its own words; what begins with "long" in two posts, what begins with "aside" in no particular order."""

from __future__ import annotations

from collections.abc import Iterable

from bot import Context, Generate, Listener, Message, Partial, Reply, Route, Turn, hookimpl

LONG = 17_000
"""Characters that do not fit into one post of a room."""


def aside(message: Message) -> bool:
    return message.text.startswith("aside")


class Plugin:
    """Relays."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Listener("aside", aside, self.answer),
            Listener("relay", lambda message: not aside(message), self.remember, ordered=True),
        ]

    async def remember(self, ctx: Context) -> Reply:
        asked = Turn(role="person", parts=ctx.message.parts, message=ctx.message.id, tokens=1)
        await ctx.conversation.append(asked)
        reply = await self.answer(ctx)
        await ctx.conversation.append(Turn(role="bot", parts=asked.parts, message=ctx.message.id, tokens=1))
        return reply

    async def answer(self, ctx: Context) -> Reply:
        turn = Turn(role="person", parts=ctx.message.parts)
        answer = await ctx.stream(Generate(model="relay", turns=(turn,)), self.show)
        return Reply(f"{answer.text}\n" * (LONG // len(answer.text)) if answer.text.startswith("long") else answer.text)

    @staticmethod
    def show(partial: Partial) -> Reply | None:
        return Reply(partial.text) if partial.kind == "text" else None
