"""Every hook of the router, and what they did in the order they did it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bot import Command, Connector, Context, Event, Message, NoArgs, Refusal, Reply, Route, Tool, hookimpl

from .config import Config


class Letters:
    """A platform of letters."""

    name = "letters"
    limits = None


class Plugin:
    """Does everything."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.done: list[str] = []

    @hookimpl
    def register_connectors(self) -> Iterable[Connector]:
        return [Letters()]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        yield Command("greet", "Greets.", NoArgs, self.greet)

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        yield Tool("wave", "Waves.", NoArgs, self.greet)

    @hookimpl
    def admit(self, message: Message) -> Refusal | None:
        return Refusal("Quiet, please.") if message.text == "LOUD" else None

    @hookimpl
    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return self._life()

    @hookimpl
    def observe(self, event: Event) -> None:
        self.done.append(event.name)

    @asynccontextmanager
    async def _life(self) -> AsyncIterator[None]:
        self.done.append("entered")
        yield
        self.done.append("left")

    async def greet(self, ctx: Context, args: NoArgs) -> Reply:
        return Reply(self.config.greeting)
