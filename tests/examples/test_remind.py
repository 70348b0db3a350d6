"""The example of reminders: times are read by a person's own clock, and what is planned outlives the router."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from bot.config import Config, PluginTable
from bot.messages import Address, Called, Message, Person
from bot.plugins import Plugins, load
from bot.router.app import build, running
from bot.store.keys import Keys
from bot.testing import wait_until
from bot.testing.fate import Fate
from bot.testing.fixtures import lounge
from bot.testing.house import house
from bot.testing.platform import Platform
from bot.testing.room import Room

FOLDER = Path(__file__).parents[2] / "docs/examples/remind"

LISBON = ZoneInfo("Europe/Lisbon")
FRIDAY = datetime(2026, 3, 27, 20, 0, tzinfo=UTC)
"""Two days before Lisbon's clocks are put forward, from 1:00 to 2:00."""


def plugins() -> Plugins:
    return load(Config(plugins={"remind": PluginTable(path=FOLDER)}), "front")


def times() -> Any:
    package = type(plugins().loaded["remind"].plugin).__module__.rpartition(".")[0]
    return import_module(f"{package}.times")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("in 10 minutes", "2026-03-27 20:10"),
        ("in 2 h", "2026-03-27 22:00"),
        ("21:30", "2026-03-27 21:30"),
        ("at 9:00", "2026-03-28 09:00"),
        ("tomorrow at 9:00", "2026-03-28 09:00"),
        ("sunday 9:00", "2026-03-29 08:00"),
        ("friday 19:00", "2026-04-03 18:00"),
        ("2026-03-29 1:30", "2026-03-29 01:30"),
        ("2026-10-25 1:30", "2026-10-25 00:30"),
        ("every weekday at 9:30", "2026-03-30 08:30"),
        ("every friday at 20:30", "2026-03-27 20:30"),
        ("every day 9:00", "2026-03-28 09:00"),
    ],
)
def test_a_time_is_that_of_the_persons_own_clock(said: str, expected: str) -> None:
    found = times().read(said, FRIDAY, LISBON)
    assert f"{found.at:%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize("said", ["soon", "25:00", "2026-02-30 9:00", "2026-03-27 9:00", "today at 9:00", ""])
def test_what_is_no_time_or_has_passed_is_said(said: str) -> None:
    with pytest.raises(ValueError, match=r"say when|passed"):
        times().read(said, FRIDAY, LISBON)


def test_what_and_when_are_told_apart() -> None:
    split = times().split
    assert split("tea in 10 minutes") == ("tea", "in 10 minutes")
    assert split("the stand-up every weekday at 9:30") == ("the stand-up", "every weekday at 9:30")
    assert split("look in at 18:30 at the party") == ("look in at 18:30 at the party", "")


@pytest.fixture
async def room(redis_url: str) -> AsyncIterator[Room]:
    async with house(redis_url, plugins(), fate=Fate()) as opened:
        yield lounge(opened)


async def test_a_reminder_comes_when_it_is_due_and_once(room: Room) -> None:
    (said,) = await room.say("/remind tea in 10 minutes")
    assert said.startswith("I will say so: tea, on ")
    assert await room.later(599) == []
    assert await room.later(2) == ["Ada: tea"]
    assert await room.later(86_400) == []
    assert await room.say("/reminders") == ["There is nothing that I would remind you of."]


async def test_one_that_comes_again_comes_until_it_is_forgotten(room: Room) -> None:
    await room.say("/zone europe/lisbon")
    await room.say("/remind stretch every day at 12:00")
    assert await room.later(86_400) == ["Ada: stretch"]
    assert await room.later(86_400) == ["Ada: stretch"]
    assert (await room.say("/reminders"))[0].startswith("1. stretch, every day at 12:00 (Europe/Lisbon)")
    assert await room.click("Forget 1", by="Ben") == ["That is no reminder of yours, or it is over."]
    assert await room.click("Forget 1") == ["Forgotten: stretch."]
    assert await room.later(2 * 86_400) == []


async def test_what_cannot_be_understood_says_what_can(room: Room) -> None:
    (said,) = await room.say("/remind tea")
    assert said.startswith("Please say when: `in 10 minutes`")
    assert (await room.say("/zone Atlantis"))[0].startswith("I do not know this time zone.")


async def test_a_reminder_outlives_its_router(redis: Redis, keys: Keys) -> None:
    address, platform = Address("room", "lounge", "main"), Platform()
    asked = Message("1", "1", address, Person("ada", "Ada"), trigger=Called("remind", text="tea in 10 minutes"))
    first = build(redis, keys, plugins(), [platform])
    async with running(first, plugins()):
        await first.deliver(asked)
        await wait_until(lambda: platform.shown(address) and not first.runner.held)
    (due,) = cast("list[bytes]", await redis.zrange(keys.firings_due(), 0, -1))
    await redis.zadd(keys.firings_due(), {due: 0.0})  # ten minutes later
    second = build(redis, keys, plugins(), [platform])
    async with running(second, plugins()):
        await wait_until(lambda: "Ada: tea" in platform.shown(address) and not second.runner.held, 20.0)
