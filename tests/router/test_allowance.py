"""A plugin that raises, hangs, floods, leaves tasks or returns nonsense harms its own replies alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import Context as Variables
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import Command, Context, Listener, NoArgs, Reply, Route, UserError, hookimpl
from bot.calls import HANDLERS, Calls
from bot.config import Config, PluginTable
from bot.plugins import Loaded, Plugins, load
from bot.router.allowance import MOST, Allowance
from bot.router.runner import MOST_FAILURES
from bot.store.scripts import Scripts
from bot.store.servers import Choices, Server, Servers
from bot.store.troubles import Troubles
from bot.testing import wait_until
from bot.testing.fate import Fate
from bot.testing.fixtures import lounge
from bot.testing.house import house
from bot.testing.room import Room

RESTING = r"bad rests until \d\d:\d\d:\d\d UTC, because it failed 5 times in a row, the last time in command raises \(ZeroDivisionError\)\."


class Bad:
    """Does everything wrong that a handler can."""

    def __init__(self) -> None:
        self.left: list[asyncio.Task[Any]] = []
        self.waiting, self.go = False, asyncio.Event()

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        for name in ("raises", "refuses", "number", "parts", "empty", "floods", "leaves", "waits"):
            yield Command(name, "Goes wrong.", NoArgs, getattr(self, name))
        yield Listener("overhears", lambda message: message.text == "psst", self.overhears)

    async def raises(self, ctx: Context, args: NoArgs) -> Reply:
        raise ZeroDivisionError

    async def refuses(self, ctx: Context, args: NoArgs) -> Reply:
        raise UserError("Not today.")

    async def number(self, ctx: Context, args: NoArgs) -> Any:
        return 7

    async def parts(self, ctx: Context, args: NoArgs) -> Any:
        return Reply(7)  # type: ignore[arg-type]

    async def empty(self, ctx: Context, args: NoArgs) -> Reply:
        return Reply(" ")

    async def floods(self, ctx: Context, args: NoArgs) -> Reply:
        for number in range(MOST["post"] + 1):
            await ctx.reply(f"{number}")
        return Reply("Done.")

    async def leaves(self, ctx: Context, args: NoArgs) -> Reply:
        self.left = [asyncio.create_task(asyncio.sleep(3600), name="forgotten")]
        return Reply("Done.")

    async def waits(self, ctx: Context, args: NoArgs) -> str:
        self.waiting = True
        await self.go.wait()
        return "Done."

    async def overhears(self, ctx: Context) -> Reply:
        return Reply("I heard that.")


class Good:
    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Command("greet", "Greets.", NoArgs, self.greet)]

    async def greet(self, ctx: Context, args: NoArgs) -> str:
        return "Hello."


@pytest.fixture
async def room(redis_url: str) -> AsyncIterator[Room]:
    admin = load(Config(plugins={"admin": PluginTable()}), "front").loaded["admin"]
    plugins = Plugins([Loaded("bad", Bad(), version="1"), Loaded("good", Good(), version="1"), admin])
    async with house(redis_url, plugins, fate=Fate()) as opened:
        yield lounge(opened)


def plugin(room: Room) -> Bad:
    bad = room.house.router.runner._plugins.loaded["bad"].plugin
    assert isinstance(bad, Bad)
    return bad


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("number", "expected a Reply, a string or None, found 7"),
        ("parts", "expected parts or strings in a Reply, found 7"),
        ("empty", "expected words in a Reply, found none: None stays silent"),
    ],
)
async def test_nonsense_is_refused_by_name(room: Room, command: str, fault: str) -> None:
    with capture_logs() as logs:
        (said,) = await room.say(f"/{command}")
    assert said.startswith("Sorry, something went wrong here")
    (line,) = [line for line in logs if line["event"] == "a handler failed"]
    assert (line["plugin"], line["route"], str(line["exc_info"])) == ("bad", f"command:{command}", fault)


async def test_who_fails_again_and_again_rests_which_others_see_and_do_not_feel(room: Room) -> None:
    for _ in range(MOST_FAILURES):
        assert (await room.say("/raises"))[0].startswith("Sorry")
    assert await room.say("/raises") == ["bad went wrong again and again, and rests for a minute."]
    assert await room.say("psst", to_bot=False) == []
    assert await room.say("/greet") == ["Hello."]

    async def told() -> dict[str, str]:
        return {name: str(one.what) for name, one in (await Troubles(room.house.redis, room.house.keys).all()).items()}

    said = (await wait_until(told))["bad"]
    assert re.fullmatch(RESTING, said), said


async def test_admins_are_told_once_that_a_plugin_rests_and_see_it_where_they_look(room: Room) -> None:
    await room.say("/settings hobnob log here", manages=True)
    for _ in range(MOST_FAILURES + 1):
        await room.say("/raises")
    told = await wait_until(lambda: [one for one in room.messages if one.startswith("the bot: ")])
    assert re.fullmatch(f"the bot: {RESTING}", told[0]), told

    async def shown() -> str:
        return next(line for line in (await room.say("/plugins"))[0].splitlines() if line.startswith("- **bad**"))

    async def rests() -> bool:
        return "rests until" in await shown()

    await wait_until(rests)
    assert re.fullmatch(rf"- \*\*bad\*\* is on\. +{RESTING}", await shown())
    await room.say("/greet", by="Ben")
    await room.say("/raises", by="Ben")

    async def why() -> list[str]:
        return [line for line in (await room.say("/why", by="Ben"))[0].splitlines() if "rests until" in line]

    (line,) = await wait_until(why)
    assert re.fullmatch(f"  - {RESTING}", line)
    assert len([one for one in room.messages if one.startswith("the bot: ")]) == 1


async def test_who_worked_while_the_plugin_began_to_rest_is_not_blamed_on_that(room: Room) -> None:
    await room.say("/waits", by="Cleo", wait=False)
    await wait_until(lambda: plugin(room).waiting)
    for _ in range(MOST_FAILURES):
        await room.say("/raises", wait=False)
    await wait_until(room.house.router.runner._plugins.calls.resting)
    plugin(room).go.set()
    await room.house.settled()

    async def why() -> str:
        said = (await room.say("/why", by="Cleo"))[0]
        return said if "Finished after" in said else ""

    assert "rests until" not in await wait_until(why)


async def test_a_rest_is_noted_once_by_several_only_where_the_plugin_is_on_and_for_nobody_alone(room: Room) -> None:
    noting, servers = room.house.router.endings._noting, Servers(room.house.redis, room.house.keys)
    calls, off, alone = Calls(), room.elsewhere("off").address, room.alone("Ada").address
    calls.failed("bad", HANDLERS, 1, "command:raises", ZeroDivisionError())
    await servers.put(off.tenant, Server(choices=Choices(plugins={"bad": False})))
    await asyncio.gather(*(noting.rests(to, "bad", calls) for to in (room.address, off, alone) for _ in range(5)))
    assert [len(await servers.deeds(to.tenant, 9)) for to in (room.address, off, alone)] == [1, 0, 0]


async def test_what_a_person_is_told_on_purpose_is_no_failure(room: Room) -> None:
    for _ in range(MOST_FAILURES + 1):
        assert await room.say("/refuses") == ["Not today."]


async def test_a_flood_ends(room: Room) -> None:
    said = await room.say("/floods")
    assert len(said) == MOST["post"] + 1
    assert said[-1].startswith("Sorry")
    assert await room.say("/greet") == ["Hello."]


async def test_tasks_that_a_handler_leaves_are_ended(room: Room) -> None:
    with capture_logs() as logs:
        assert await room.say("/leaves") == ["Done."]
    (left,) = plugin(room).left
    assert left.cancelled()
    assert [line["tasks"] for line in logs if line["event"].startswith("a handler left tasks behind")] == [["forgotten"]]


async def test_calls_of_the_store_that_several_share_do_not_end_with_who_called_first(room: Room) -> None:
    take, keys = Scripts(room.house.redis)("pace_hold"), [room.house.keys.held("nobody")]
    async with Allowance("bad"):
        first = asyncio.create_task(take(keys=keys, args=[1]))
        other = asyncio.create_task(take(keys=keys, args=[1]), context=Variables())
        await asyncio.sleep(0)  # both have called, and nothing was sent
    assert first.cancelled()
    await asyncio.wait_for(other, 30)


async def test_a_command_of_the_core_leaves_no_tasks(room: Room) -> None:
    with capture_logs() as logs:
        (said,) = await room.say("/cancel")
    assert said.startswith("There is nothing of yours")
    assert not [line for line in logs if line["log_level"] == "warning"]


async def test_a_handler_that_hangs_is_stopped() -> None:
    with pytest.raises(TimeoutError):
        async with Allowance("bad", 0.01):
            await asyncio.Event().wait()


async def test_what_is_waited_for_through_ctx_takes_no_time_of_its_own() -> None:
    async with Allowance("bad", 3600.0) as allowance:
        when: Callable[[], float | None] = allowance._limit.when
        assert when() is not None
        with allowance.waiting():
            assert when() is None
            with allowance.waiting():
                pass
            assert when() is None
        assert when() is not None
