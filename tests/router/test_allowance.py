"""A plugin that raises, hangs, floods, leaves tasks or returns nonsense harms its own replies alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import Context as Variables
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import Command, Context, Listener, NoArgs, Reply, Route, UserError, hookimpl
from bot.plugins import Loaded, Plugins
from bot.router.allowance import MOST, Allowance
from bot.router.runner import MOST_FAILURES
from bot.store.scripts import Scripts
from bot.store.troubles import Troubles
from bot.testing import wait_until
from bot.testing.fate import Fate
from bot.testing.fixtures import lounge
from bot.testing.house import house
from bot.testing.room import Room


class Bad:
    """Does everything wrong that a handler can."""

    def __init__(self) -> None:
        self.left: list[asyncio.Task[Any]] = []

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        for name in ("raises", "refuses", "number", "parts", "empty", "floods", "leaves"):
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
    plugins = Plugins([Loaded("bad", Bad(), version="1"), Loaded("good", Good(), version="1")])
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
        return {name: one.what for name, one in (await Troubles(room.house.redis, room.house.keys).all()).items()}

    assert await wait_until(told) == {"bad": "Its handlers failed again and again, and are not asked for a while."}


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
