"""A plugin with a route of every kind, which says what of it ran, where, and with which setting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel, Field

from bot import (
    Action,
    Button,
    Command,
    Completing,
    Context,
    Listener,
    Message,
    NoArgs,
    Reaction,
    Reply,
    Route,
    Schedule,
    Tool,
    hookimpl,
)
from bot.discovery import Manifest
from bot.plugins import Loaded

Ran = tuple[str, str, int]
"""A plugin, what of it ran, and its setting."""


class Number(BaseModel):
    """A setting."""

    number: int = Field(default=0, ge=0, le=99)


class Word(BaseModel):
    """What `/complete` takes."""

    word: str = ""


@dataclass
class Probe:
    """`ran` is by server, in order; what it answers is as short as can be."""

    name: str = "probe"
    ran: dict[str, list[Ran]] = field(default_factory=dict)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Listener("hear", lambda message: message.text == "hear", self.hear),
            Command(self.name, "Probes.", NoArgs, self.call),
            Command(f"{self.name}_later", "Probes in an hour.", NoArgs, self.later),
            Command(f"{self.name}_word", "Probes what is typed.", Word, self.word, completions={"word": self.complete}),
            Action("press", NoArgs, self.press),
            Reaction("clap", "👏", self.clap),
            Schedule("later", NoArgs, self.due),
        ]

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        return [Tool(self.name, "Probes.", NoArgs, self.tool)]

    def note(self, message: Message, what: str, settings: Number) -> None:
        self.ran.setdefault(message.address.tenant, []).append((self.name, what, settings.number))

    async def hear(self, ctx: Context) -> None:
        self.note(ctx.message, "hear", ctx.settings)

    async def call(self, ctx: Context, args: NoArgs) -> Reply:
        self.note(ctx.message, "call", ctx.settings)
        return Reply("Probed.", buttons=[Button(f"Press {self.name}", "press")])

    async def later(self, ctx: Context, args: NoArgs) -> str:
        await ctx.schedule("later", NoArgs(), ctx.now + timedelta(hours=1))
        return "Later."

    async def due(self, ctx: Context, args: NoArgs) -> None:
        self.note(ctx.message, "due", ctx.settings)

    async def word(self, ctx: Context, args: Word) -> str:
        return args.word or "nothing"

    async def complete(self, asked: Completing) -> Sequence[str]:
        self.note(asked.message, "complete", asked.settings)
        return ["word"]

    async def press(self, ctx: Context, args: NoArgs) -> None:
        self.note(ctx.message, "press", ctx.settings)

    async def clap(self, ctx: Context) -> None:
        self.note(ctx.message, "clap", ctx.settings)

    async def tool(self, ctx: Context, args: NoArgs) -> str:
        self.note(ctx.message, "tool", ctx.settings)
        return "Probed."


def loaded(probe: Probe, *, enabled: bool = True) -> Loaded:
    """The plugin, ready to be called."""
    return Loaded(probe.name, probe, Manifest(summary="Probes.", api=1, licence="MIT"), settings=Number, version="1", enabled=enabled)
