"""A router may die at any instant; what people see in the end is what they would have seen without."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from pydantic import BaseModel
from redis.asyncio import Redis

from bot import Call, Command, Context, Listener, Reply, Route, Turn, hookimpl, messages
from bot.messages import Address, Called, Message, Person, Text
from bot.plugins import Loaded, Plugins
from bot.store.conversations import Conversations
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.store.tickets import MOST_CRASHES
from bot.testing import wait_until
from bot.testing.platform import Platform
from tests.hands import Said, Say, worker
from tests.router.test_tools import Scales
from tests.router.world import Fate, Killed, finish, router, take_over

ROOM = Address("room", "lounge", "main")
ADA = Person("ada", "Ada")
HOUR = 3600.0

SNAPSHOT = re.compile(r" (?P<tone>calm|changed) \d+ (?P<at>\d{10})$")
"""How an answer ends that shows its settings, a random number and its time."""


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

    fate: Fate = field(default_factory=Fate)

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
                await ctx.forward(replace(ctx.message, trigger=messages.Said(), parts=(Text(f"forwarded {number}"),)))
            case "x":
                self.fate.dead = True
                raise Killed
            case "k":
                return (await ctx.keep(f"bytes {number}".encode(), "text/plain")).name
            case "w":
                return (await ctx.call(Call(name="weigh", arguments={"what": f"thing {number}"}))).text
            case "l":
                return "long " * 120
        return step


def message(steps: str) -> Message:
    return Message("asked", "asked", ROOM, ADA, (Text("/do"),), trigger=Called("do", text=steps), me="bot")


def plugins(fate: Fate | None = None) -> Plugins:
    scripted = Loaded("scripted", Scripted(fate or Fate()), settings=Settings, version="1")
    return Plugins([scripted, Loaded("scales", Scales(), version="1")])


def echo(asked: dict[str, Any]) -> tuple[str, Said]:
    """What the model says, and what it shows before."""
    words = asked["job"]["words"]
    return words[:3], Said(words=words.upper())


@dataclass(frozen=True)
class Outcome:
    """What is there in the end, for everybody to see and for the bot to remember."""

    shown: list[str]
    turns: list[str]
    notes: int


@dataclass(frozen=True)
class Fortune:
    """When the first router dies, and what happens until the ticket ends."""

    dies_at: int = 0
    changed: bool = False
    """The server's settings have changed meanwhile, and the clock is an hour ahead."""
    rivals: bool = False
    """Two routers take over at once."""


class Play:
    """One message in one world."""

    def __init__(self, url: str, redis: Redis, keys: Keys, steps: str) -> None:
        self.url = url
        self.redis = redis
        self.keys = keys
        self.steps = steps
        self.platform = Platform()

    async def play(self, fortune: Fortune) -> tuple[Outcome, int]:
        """What stands in the end, and how many instants there were to die at."""
        fate = Fate(fortune.dies_at)
        async with worker(self.redis, self.keys, ["say"], echo):
            async with router(self.url, self.keys, plugins(), self.platform, fate) as first:
                with suppress(Killed):
                    await first.deliver(message(self.steps))
                await wait_until(lambda: fate.dead or not first.runner.held, 20.0)
                deeds = fate.deeds
            if fortune.changed:
                choices = Choices(settings={"scripted": {"tone": "changed"}})
                await Servers(self.redis, self.keys).put(ROOM.tenant, Server(choices=choices))
            await self._take_over(fortune)
            return await self._outcome(), deeds

    async def _take_over(self, fortune: Fortune) -> None:
        """The platform delivers again, and twice, what was not acknowledged."""
        async with AsyncExitStack() as stack:
            living = [
                await stack.enter_async_context(router(self.url, self.keys, plugins(), self.platform, Fate()))
                for _ in range(1 + fortune.rivals)
            ]
            for one in living:
                one.dispatch._clock = lambda: time.time() + HOUR * fortune.changed
            await asyncio.gather(*(one.deliver(message(self.steps)) for one in [living[0], living[-1]]))
            await finish(self.url, self.keys, *living)

    async def _outcome(self) -> Outcome:
        assert not self.platform.busy(), "a status line was left behind"
        assert not await self.redis.keys(f"{self.keys.prefix}:jobs:*")
        turns = await Conversations(self.redis, self.keys).turns(ROOM.conversation, 10_000)
        notes = cast("bytes | None", await self.redis.get(self.keys.data("scripted", "chat", ROOM.conversation, "")))
        return Outcome(self.platform.shown(ROOM), [turn.text for turn in turns], (notes or b"").count(b"note "))


def timeless(outcome: Outcome) -> Outcome:
    """Without settings and the second, which depend on the instant at which the ticket was written."""
    return replace(outcome, shown=sorted(SNAPSHOT.sub("", text) for text in outcome.shown))


def snapshots(outcome: Outcome) -> set[tuple[str, bool]]:
    """(settings, whether the clock was ahead) of what was answered."""
    found = (SNAPSHOT.search(text) for text in outcome.shown)
    return {(match["tone"], int(match["at"]) > time.time() + HOUR / 2) for match in found if match}


PROGRAMS = ["", "n", "atr", "cac", "sp", "mm", "mrm", "fa", "kl", "pap", "atatr", "wmw"] + [
    "".join(random.Random(seed).choices("atrcspmfkl", k=5)) for seed in range(4)
]


@pytest.mark.parametrize("steps", PROGRAMS)
async def test_a_router_killed_at_any_instant_changes_nothing_that_anybody_sees(
    redis_url: str, redis: Redis, keys: Keys, steps: str
) -> None:
    living, deeds = await Play(redis_url, redis, Keys(f"{keys.prefix}:0"), steps).play(Fortune())
    assert deeds > 2
    for at in range(1, deeds + 1):
        fortune = Fortune(at, changed=at % 2 == 0, rivals=at % 3 == 0)
        died, _ = await Play(redis_url, redis, Keys(f"{keys.prefix}:{at}"), steps).play(fortune)
        assert timeless(died) == timeless(living), f"{fortune} of {deeds}"
        assert snapshots(died) <= {("calm", False)} or snapshots(died) <= {("changed", True)}, (
            "settings and time of two attempts were mixed"
        )


@pytest.mark.parametrize("seed", range(20))
async def test_routers_that_die_one_after_the_other_change_nothing_either(redis_url: str, redis: Redis, keys: Keys, seed: int) -> None:
    chance = random.Random(seed)
    steps = "".join(chance.choices("atrcspmfkl", k=6))
    living, deeds = await Play(redis_url, redis, Keys(f"{keys.prefix}:living"), steps).play(Fortune())
    play = Play(redis_url, redis, Keys(f"{keys.prefix}:dying"), steps)
    async with worker(redis, play.keys, ["say"], echo), AsyncExitStack() as dying:
        for _ in range(MOST_CRASHES - 1):
            await doomed(dying, play, Fate(chance.randint(1, deeds)))
        await play._take_over(Fortune())
        assert timeless(await play._outcome()) == timeless(living)


async def doomed(dying: AsyncExitStack, play: Play, fate: Fate) -> None:
    """A router that gets the message, and what others left of it, and dies when it must."""
    made = await dying.enter_async_context(router(play.url, play.keys, plugins(fate), play.platform, fate))
    with suppress(Killed):
        await made.deliver(message(play.steps))
        await take_over(play.redis, play.keys, made)
    await wait_until(lambda: fate.dead or not made.runner.held, 20.0)


async def test_a_handler_that_kills_its_routers_ends_in_an_apology(redis_url: str, redis: Redis, keys: Keys) -> None:
    play = Play(redis_url, redis, keys, "x")
    for attempt in range(MOST_CRASHES):
        async with AsyncExitStack() as dying:
            fate = Fate()
            await doomed(dying, play, fate)
            assert fate.dead, f"attempt {attempt + 1} was not made"
    await play._take_over(Fortune())
    [apology] = play.platform.shown(ROOM)
    assert "Reference: " in apology
