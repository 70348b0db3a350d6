"""A plugin for tests alone, which calls tools as a chat model would. What a test says: `Room.call`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pydantic import BaseModel

from bot.context import Context
from bot.hookspecs import hookimpl
from bot.replies import Reply
from bot.routes import Command, Route
from bot.turns import Call

CALLER = "rehearsal"
"""Its name, and that of its command."""


class Asked(BaseModel):
    """Which tool, and its arguments as JSON."""

    tool: str
    arguments: str


class Caller:
    """Stands in for a chat plugin whose model wants nothing else."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """One command, which is never listed anywhere but in a test."""
        return [Command(CALLER, "Calls a tool.", Asked, self.call)]

    async def call(self, ctx: Context, args: Asked) -> Reply:
        """What the model would be told, and what would go to the chat."""
        return await ctx.call(Call(name=args.tool, arguments=json.loads(args.arguments)))
