"""Tools that a model calls: for whom they are there, and what comes of calls. Routers that die meanwhile: `test_replay.py`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import BaseModel
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot import Call, Command, Context, File, JobFailed, NoArgs, Reply, Route, Tool, Toolset, UserError, hookimpl
from bot.messages import Address, Called, Message, Person
from bot.permissions import Grant
from bot.plugins import Loaded, Plugins
from bot.store.keys import Keys
from bot.store.servers import Choices, Server, Servers
from bot.testing import wait_until
from bot.testing.platform import LIMITS, Platform
from bot.turns import LONGEST_RESULT
from tests.hands import Said, Say, worker
from tests.router.world import Fate, finish, router

ROOM = Address("room", "lounge", "main")
ADA = Person("ada", "Ada")


class Weight(BaseModel):
    """What `weigh` takes."""

    what: str
    grams: int = 1


class Notes(BaseModel):
    """What a plugin keeps."""

    count: int = 0


class Caller:
    """A chat whose model wants the calls that a command names: `weigh what=x; fail what=y`."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Command("do", "Calls.", Weight, self.do, ordered=True), Command("list", "Lists.", NoArgs, self.listed)]

    async def listed(self, ctx: Context, args: NoArgs) -> str:
        return " ".join(f"{tool.name}:{sorted(tool.parameters.get('properties', {}))}" for tool in await ctx.tools()) or "none"

    async def do(self, ctx: Context, args: Weight) -> Reply:
        replies = [await ctx.call(_wanted(words)) for words in args.what.split(";")]
        files = [part for reply in replies for part in reply.parts if isinstance(part, File)]
        notes = await ctx.store.get(Notes, "chat")
        return Reply("|".join(f"{reply.text}{'!' if reply.fault else ''}" for reply in replies) + f" {notes}", *files)


def _wanted(words: str) -> Call:
    return Call(name=words.split()[0], arguments=dict(re.findall(r"(\w+)=(\w+)", words)))


class Scales:
    """A plugin whose tools do what plugins do."""

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        yield Tool("weigh", "Weighs something.", Weight, self.weigh)
        yield Tool("fail", "Fails.", Weight, self.fail)
        yield Tool("forge", "Forges.", Weight, self.fail, command="forge")
        yield Tool("sleep", "Takes long.", NoArgs, self.sleep, timeout=0.05)

    async def weigh(self, ctx: Context, args: Weight) -> Reply:
        said = await ctx.run(Say(words=f"{args.what} {args.grams}"))
        notes = await ctx.store.get(Notes, "chat") or Notes()
        await ctx.store.put(Notes(count=notes.count + 1), "chat")
        await ctx.reply(f"beside {args.what}")
        kept = await ctx.keep(b"scale", "text/plain", f"{args.what}.txt")
        return Reply(f"{said.words} for {ctx.person.name}, {notes.count} before", File(kept))

    async def fail(self, ctx: Context, args: Weight) -> str:
        match args.what:
            case "politely":
                raise UserError("It is too heavy.")
            case "remotely":
                raise JobFailed("no scale")
            case "atlength":
                return "o" * args.grams
            case "turns":
                await ctx.conversation.reset()
        return str(1 // 0)

    async def sleep(self, ctx: Context, args: NoArgs) -> str:
        await asyncio.Event().wait()
        return ""


@dataclass
class Elsewhere:
    """A plugin whose tools are known only later."""

    late: Toolset

    @hookimpl
    def register_tools(self) -> Iterable[Toolset]:
        return [self.late]


def plugins(scales: Scales) -> Plugins:
    return Plugins([Loaded("caller", Caller(), version="1"), Loaded("scales", scales, version="1")])


def message(command: str, text: str = "") -> Message:
    return Message(f"{command} {text}", f"{command} {text}", ROOM, ADA, trigger=Called(command, text=text), me="bot")


def echo(asked: dict[str, Any]) -> tuple[str, Said]:
    return "", Said(words=asked["job"]["words"].upper())


async def said(redis_url: str, redis: Redis, keys: Keys, arrival: Message, choices: Choices = Choices()) -> str:
    """What stands in the room in the end."""
    platform = Platform(most=LIMITS["room"])
    await Servers(redis, keys).put(ROOM.tenant, Server(choices=choices))
    async with worker(redis, keys, ["say"], echo), router(redis_url, keys, plugins(Scales()), platform, Fate()) as made:
        await made.deliver(arrival)
        await wait_until(lambda: not made.runner.held)
    return platform.shown(ROOM)[-1]


async def test_what_is_on_here_is_offered_with_its_arguments(redis_url: str, redis: Redis, keys: Keys) -> None:
    assert (
        await said(redis_url, redis, keys, message("list"))
        == "weigh:['grams', 'what'] fail:['grams', 'what'] forge:['grams', 'what'] sleep:[]"
    )


async def test_tools_that_come_late_are_offered_while_they_are_there(redis_url: str, redis: Redis, keys: Keys) -> None:
    scales, late = Scales(), Toolset("far")
    house = Plugins([*plugins(scales).loaded.values(), Loaded("elsewhere", Elsewhere(late), version="1")])

    async def offered(number: int) -> set[str]:
        await made.deliver(replace(message("list"), event=f"{number}"))
        await wait_until(lambda: len(platform.shown(ROOM)) > number and not made.runner.held)
        return {word.partition(":")[0] for word in platform.shown(ROOM)[-1].split() if ":" in word}

    platform = Platform()
    async with router(redis_url, keys, house, platform, Fate()) as made:
        before = await offered(0)
        late.tools = [Tool(name, "Late.", NoArgs, scales.sleep, schema={"type": "object"}) for name in ("late", "weigh", "No name")]
        with capture_logs() as logs:
            assert await offered(1) - before == {"late"}
        none: Any = None
        nonsense = Tool("odd", none, NoArgs, scales.sleep), Tool("odder", "", none, scales.sleep), Tool(none, "", NoArgs, scales.sleep)
        late.tools = (*nonsense, Tool("oddest", "", NoArgs, scales.sleep, schema={"type": object()}))
        assert await offered(2) == before, "nonsense takes nobody else's tools away"
        late.tools = none
        assert await offered(3) == before
    left = [line["fault"] for line in logs if line["event"] == "a tool is left out"]
    assert left == ["Tool 'weigh': another has this name", "Tool 'No name': expected 1 to 32 of a-z, 0-9 and _ as its name"]


async def test_what_is_off_here_is_neither_offered_nor_called_whoever_wants_it(redis_url: str, redis: Redis, keys: Keys) -> None:
    off = Choices(plugins={"scales": False})
    assert await said(redis_url, redis, keys, message("list"), off) == "none"
    assert await said(redis_url, redis, keys, message("do", "weigh what=x"), off) == "There is no tool weigh for Ada here.! None"


@pytest.mark.parametrize("what", ["scales", "/forge"])
async def test_who_may_not_use_a_plugin_or_the_command_may_not_have_its_tool_called(
    redis_url: str, redis: Redis, keys: Keys, what: str
) -> None:
    forbidden = Choices(grants=(Grant(who="person:ada", what=what, allowed=False),))
    assert "forge" not in await said(redis_url, redis, keys, message("list"), forbidden)
    assert await said(redis_url, redis, keys, message("do", "forge what=x"), forbidden) == "There is no tool forge for Ada here.! None"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("weigh what=x grams=3", "X 3 for Ada, 0 before"),
        ("weigh what=x; weigh what=y", "X 1 for Ada, 0 before|Y 1 for Ada, 1 before"),
        ("drink what=x", "There is no tool drink for Ada here.!"),
        ("weigh grams=much", "weigh was called wrongly: what: field required; grams: input should be a valid integer"),
        ("fail what=politely", "It is too heavy.!"),
        ("fail what=remotely", "fail did not work: no scale!"),
        ("fail what=turns", "fail did not work.!"),
        ("fail what=x", "fail did not work.!"),
        ("sleep", "sleep took too long.!"),
        (f"fail what=atlength grams={LONGEST_RESULT}", f"{'o' * LONGEST_RESULT} "),
        (f"fail what=atlength grams={LONGEST_RESULT + 1}", f"{'o' * LONGEST_RESULT}… "),
    ],
)
async def test_what_comes_of_a_call_is_words_for_the_model(redis_url: str, redis: Redis, keys: Keys, wanted: str, told: str) -> None:
    assert (await said(redis_url, redis, keys, message("do", wanted))).startswith(told)


@dataclass
class Bell:
    """A plugin with a tool that people far away hear."""

    rung: int = 0
    stuck: bool = True

    @hookimpl
    def register_tools(self) -> Iterable[Tool]:
        yield Tool("ring", "Rings.", NoArgs, self.ring, once=True, timeout=30.0)
        yield Tool("tire", "Rings until the time is over.", NoArgs, self.ring, once=True, timeout=0.05)

    async def ring(self, ctx: Context, args: NoArgs) -> str:
        self.rung += 1
        if self.stuck:
            await asyncio.Event().wait()
        return "Rung."


@pytest.mark.parametrize("tool", ["ring", "tire"])
async def test_what_is_to_be_done_once_is_not_done_again_after_a_death_and_both_are_told(
    redis_url: str, redis: Redis, keys: Keys, tool: str
) -> None:
    bell, platform, fate = Bell(), Platform(), Fate()
    house = Plugins([Loaded("caller", Caller(), version="1"), Loaded("bell", bell, version="1")])
    async with router(redis_url, keys, house, platform, fate) as dying, router(redis_url, keys, house, platform, Fate()) as living:
        await dying.deliver(message("do", tool))
        await wait_until(lambda: bell.rung)
        if tool == "ring":
            fate.dead, fate.at = True, 1
            for ticket in dying.runner.held:
                dying.runner.abandon(ticket)
            await wait_until(lambda: not dying.runner.held)
        bell.stuck = False
        await finish(redis_url, keys, living)
    unknown = f"{tool} was cut off, so nobody knows whether it did its work. It was not called a second time."
    assert (bell.rung, sorted(platform.shown(ROOM))) == (1, [unknown, f"{unknown}! None"])


async def test_a_tool_keeps_its_data_where_its_plugin_does_and_the_caller_does_not_see_it(redis_url: str, redis: Redis, keys: Keys) -> None:
    assert (await said(redis_url, redis, keys, message("do", "weigh what=x"))).endswith(" None")
