"""A router may die at any instant; what people see in the end is what they would have seen without."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest
from pydantic import BaseModel
from redis.asyncio import Redis

from bot import Command, Context, Job, Listener, Reply, Result, Route, TextSoFar, Turn, hookimpl
from bot.messages import Address, Called, Message, Person, Text
from bot.plugins import Loaded, Plugins
from bot.store.conversations import Conversations
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.store.shifts import Shift
from bot.testing import wait_until
from tests.platform import Platform
from tests.router.world import Fate, Killed, finish, router

ROOM = Address("room", "lounge", "main")
ADA = Person("ada", "Ada")


class Said(Result):
    """An echo."""

    words: str


class Say(Job[Said]):
    """Asks for an echo."""

    kind: ClassVar[str] = "say"
    timeout: ClassVar[float] = 60.0
    deadline: ClassVar[float] = 60.0

    words: str


class Notes(BaseModel):
    """What the plugin remembers."""

    lines: tuple[str, ...] = ()


class Settings(BaseModel):
    """What an admin may change meanwhile."""

    tone: str = "calm"


class Program(BaseModel):
    """What a handler does, step by step."""

    steps: str


@dataclass
class Scripted:
    """A plugin whose handler does what it is told, and says everything that it learnt on the way."""

    runs: int = 0
    learnt: list[str] = field(default_factory=list)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [
            Command("do", "Do as told.", Program, self.do, ordered=True),
            Listener("hear", lambda message: message.text.startswith("forwarded"), self.hear, ordered=True),
        ]

    async def hear(self, ctx: Context) -> Reply:
        await ctx.conversation.append(Turn(role="person", parts=(Text(ctx.message.text),), tokens=3))
        return Reply(f"heard {ctx.message.text}")

    async def do(self, ctx: Context, args: Program) -> Reply | None:
        self.runs += 1
        learnt: list[str] = []
        for step in args.steps:
            learnt.append(await self._step(ctx, step, len(learnt)))
        return (
            None if "n" in args.steps else Reply(" ".join([*learnt, ctx.settings.tone, f"{ctx.random.randint(0, 999)}", f"{ctx.now:%s}"]))
        )

    async def _step(self, ctx: Context, step: str, number: int) -> str:
        match step:
            case "a":
                await ctx.conversation.append(Turn(role="person", parts=(Text(f"turn {number}"),), tokens=3))
            case "t":
                return "|".join(turn.text for turn in await ctx.conversation.turns(100))
            case "r":
                return (await ctx.run(Say(words=f"job {number}"))).words
            case "c":
                both = await asyncio.gather(*(ctx.run(Say(words=f"part {part}")) for part in "xyx"))
                return "+".join(one.words for one in both)
            case "s":
                return (await ctx.stream(Say(words="streamed"), lambda partial: Reply("so far"))).words
            case "p":
                await ctx.reply(f"beside {number}")
            case "m":
                notes = await ctx.store.get(Notes, "chat") or Notes()
                await ctx.store.put(Notes(lines=(*notes.lines, f"note {number}")), "chat")
                return f"{len(notes.lines)} notes"
            case "f":
                await ctx.forward(
                    replace(ctx.message, trigger=ctx.message.trigger.__class__("nothing"), parts=(Text(f"forwarded {number}"),))
                )
            case "k":
                return (await ctx.keep(f"bytes {number}".encode(), "text/plain")).name
            case "l":
                return "long " * 120
        return step


def message(steps: str) -> Message:
    return Message("asked", "asked", ROOM, ADA, (Text("/do"),), trigger=Called("do", text=steps), me="bot")


def plugins() -> Plugins:
    return Plugins([Loaded("scripted", Scripted(), settings=Settings, version="1")])


@asynccontextmanager
async def worker(redis: Redis, keys: Keys) -> AsyncIterator[None]:
    """Answers every job; each answer counts how often the job ran at all."""
    shift = Shift(redis, keys, "worker", ["say"])
    await shift.renew()

    async def work() -> None:
        while True:
            for claim in await shift.claim(["say"], 4):
                words = claim.body["job"]["words"]
                await shift.emit(claim, TextSoFar(text=words[:3]).model_dump_json())
                await shift.finish(claim, Said(words=words.upper()).model_dump_json())
            await shift.wait(["say"], 1.0)

    task = asyncio.create_task(work())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await shift.sign_off()


@dataclass(frozen=True)
class Outcome:
    """What is there in the end, for everybody to see and for the bot to remember."""

    shown: list[str]
    turns: list[str]
    notes: int


async def play(url: str, redis: Redis, keys: Keys, steps: str, at: int, meanwhile: bool) -> tuple[Outcome, int]:
    """One message, with a router that dies at its `at`-th deed, and one that takes over."""
    platform, fate, loaded = Platform(), Fate(at), plugins()
    async with worker(redis, keys):
        async with router(url, keys, loaded, platform, fate) as first:
            with suppress(Killed):
                await first.deliver(message(steps))
            await wait_until(lambda: fate.dead or not first.runner.held, 20.0)
            deeds = fate.deeds
        if meanwhile:
            await Servers(redis, keys).put(ROOM.tenant, Server(choices=Choices(settings={"scripted": {"tone": "changed"}})))
        async with router(url, keys, plugins(), platform, Fate()) as second:
            await second.deliver(message(steps))  # the platform delivers again what was not acknowledged
            await finish(url, keys, second)
            assert not platform.busy(), "a status line was left behind"
            assert not await redis.keys(f"{keys.prefix}:jobs:*")
            turns = await Conversations(redis, keys).turns(ROOM.conversation, 10_000)
            notes = await redis.get(keys.data("scripted", "chat", ROOM.conversation, ""))
    outcome = Outcome(platform.shown(ROOM), [turn.text for turn in turns], (notes or b"").count(b"note "))
    return outcome, deeds


def timeless(outcome: Outcome) -> Outcome:
    """Without the second in which the ticket was written."""
    return replace(outcome, shown=sorted(text.rpartition(" ")[0] if text[-10:].isdigit() else text for text in outcome.shown))


PROGRAMS = ["", "n", "atr", "cac", "sp", "mm", "mrm", "fa", "kl", "pap", "atatr"] + [
    "".join(random.Random(seed).choices("atrcspmfkl", k=5)) for seed in range(5)
]


@pytest.mark.parametrize("steps", PROGRAMS)
async def test_a_router_killed_at_any_instant_changes_nothing_that_anybody_sees(
    redis_url: str, redis: Redis, keys: Keys, steps: str
) -> None:
    living, deeds = await play(redis_url, redis, Keys(f"{keys.prefix}:0"), steps, 0, meanwhile=False)
    assert deeds > 2
    for at in range(1, deeds + 1):
        died, _ = await play(redis_url, redis, Keys(f"{keys.prefix}:{at}"), steps, at, meanwhile=False)
        assert timeless(died) == timeless(living), f"killed at deed {at} of {deeds}"
