"""What only other routers understand, because they are newer, or reach, waits for them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from pydantic import BaseModel
from redis.asyncio import Redis
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot import Context, Route, Schedule, hookimpl
from bot.messages import Address, Person
from bot.plugins import Loaded, Plugins
from bot.router.app import build, running
from bot.router.finding import UPDATING
from bot.store.keys import Keys
from bot.store.schedules import KEPT, SOONEST, UNREACHED, Firing, Schedules
from bot.testing import wait_until
from bot.testing.platform import Platform

ROOM = Address("room", "lounge", "main")


class Older(BaseModel):
    """What a reminder was."""

    number: int


class Newer(BaseModel):
    """What it is."""

    what: str


@dataclass
class Clock:
    """Rings; `reads` is what its reminders are, None before it had any."""

    reads: type[BaseModel] | None

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [] if self.reads is None else [Schedule("ring", self.reads, self.ring)]

    async def ring(self, ctx: Context, args: Newer) -> str:
        return f"ring: {args.what}"


@dataclass
class Cluster:
    """Routers of several releases beside one store and one platform."""

    redis: Redis
    keys: Keys
    platform: Platform

    async def schedule(self, ago: float) -> None:
        """A reminder of the newer form that was due so many seconds ago, under the id "f"."""
        firing = Firing(plugin="clock", name="ring", payload={"what": "tea"}, address=ROOM, person=Person("a", "Ann"), at=time.time() - ago)
        for write in Schedules(self.redis, self.keys).adding("f", firing):
            await self.redis.execute_command(*write)  # type: ignore[no-untyped-call]

    async def due(self) -> float:
        """In how many seconds it is handed out next, 0 for at once; -1 once it is gone."""
        score = await self.redis.zscore(self.keys.firings_due(), "f")
        return -1.0 if score is None else max(0.0, score / 1000 - time.time())

    async def pass_through(self, *plugins: Loaded, connected: bool = True) -> list[EventDict]:
        """A router with these looks at what is due, and is stopped; gives what it wrote to its log."""
        loaded = Plugins(list(plugins))
        router = build(self.redis, self.keys, loaded, [self.platform if connected else Platform("elsewhere")])
        with capture_logs() as logs:
            async with running(router, loaded):
                await wait_until(self._seen)
                await wait_until(lambda: not router.runner.held)
        return logs

    async def _seen(self) -> bool:
        """Whether it is gone, or put off for other than the ten seconds that a router has to take it."""
        left = await self.due()
        return left == -1.0 or 0.0 < left < 5.0 or left > 11.0


@pytest.fixture
async def cluster(redis: Redis, keys: Keys) -> Cluster:
    return Cluster(redis, keys, Platform())


NEW = Loaded("clock", Clock(Newer), version="2")
OLD = (
    pytest.param([], id="without the plugin"),
    pytest.param([Loaded("clock", Clock(None), version="1")], id="without the schedule"),
    pytest.param([Loaded("clock", Clock(Older), version="1")], id="with another payload"),
)


@pytest.mark.parametrize("old", OLD)
async def test_what_an_older_router_does_not_understand_waits_for_a_newer_one(cluster: Cluster, old: list[Loaded]) -> None:
    await cluster.schedule(1.0)
    began = time.time()
    logs = await cluster.pass_through(*old)
    assert cluster.platform.shown(ROOM) == []
    due = (await cluster.redis.zscore(cluster.keys.firings_due(), "f") or 0.0) / 1000
    assert began + 0.75 * SOONEST - 0.01 < due < time.time() + 1.25 * SOONEST + 0.01, "it does not spin"
    assert {line["id"] for line in logs if "is left to a router that can run it" in line["event"]} == {"f"}

    await cluster.redis.zadd(cluster.keys.firings_due(), {"f": 0})
    await cluster.pass_through(NEW)
    assert cluster.platform.shown(ROOM) == ["ring: tea"]
    assert await cluster.due() == -1.0


async def test_what_is_for_a_chat_that_a_router_does_not_reach_waits_for_one_that_does(cluster: Cluster) -> None:
    await cluster.schedule(1.0)
    logs = await cluster.pass_through(NEW, connected=False)
    told = [line for line in logs if line["log_level"] in ("warning", "error")]
    assert [(line["id"], line["why"]) for line in told] == [("f", "room is not connected here")]
    await cluster.redis.zadd(cluster.keys.firings_due(), {"f": 0})
    await cluster.pass_through(NEW)
    assert cluster.platform.shown(ROOM) == ["ring: tea"]

    await cluster.schedule(UNREACHED + 1.0)
    logs = await cluster.pass_through(NEW, connected=False)
    assert [line["id"] for line in logs if line["event"] == "a firing whose chat no router reaches is forgotten"] == ["f"]
    assert await cluster.due() == -1.0


async def test_it_is_looked_at_less_and_less_often(cluster: Cluster) -> None:
    for ago, soonest, latest in ((400.0, 75.0, 125.0), (80_000.0, 2_700.0, 4_500.0)):
        await cluster.schedule(ago)
        await cluster.pass_through()
        assert soonest - 5.0 < await cluster.due() < latest


async def test_what_nobody_understands_is_forgotten_in_the_end_and_told_where_the_plugin_is_there(cluster: Cluster) -> None:
    await cluster.schedule(UNREACHED + 1.0)
    logs = await cluster.pass_through()
    assert await cluster.due() == -1.0
    assert [line["id"] for line in logs if line["event"] == "a firing that nobody understands is forgotten"] == ["f"]
    assert cluster.platform.shown(ROOM) == []

    await cluster.schedule(UPDATING + 1.0)
    await cluster.pass_through(Loaded("clock", Clock(Older), version="3"))
    assert await cluster.due() == -1.0
    assert cluster.platform.shown(ROOM) == ["This was made by an older version and no longer works. Please ask anew."]


async def test_of_a_form_that_this_release_cannot_read_only_what_tells_its_time_is_kept(redis: Redis, keys: Keys) -> None:
    schedules, now = Schedules(redis, keys), time.time()
    forms = {"newer": {"of": "another release", "at": now - 5}, "old": {"at": now - KEPT - 5}, "timeless": {"of": "another release"}}
    forms |= {"odd": {"at": float("nan")}, "odder": {"at": "inf"}, "later": {"at": now + 60}}
    await redis.hset(keys.firings(), mapping={id: json.dumps(form) for id, form in forms.items()})
    await redis.hset(keys.firings(), "none", b"\xff")
    await redis.zadd(keys.firings_due(), dict.fromkeys([*forms, "none"], 0.0))
    assert await schedules.due() == {}
    assert await redis.hkeys(keys.firings()) == await redis.zrange(keys.firings_due(), 0, -1) == [b"newer"]
