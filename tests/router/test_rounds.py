"""Rounds that fail: told by their names, begun again, and in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from types import SimpleNamespace

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.errors import StoreError
from bot.plugins import Plugins
from bot.router import rounds
from bot.router.app import build, running
from bot.router.rounds import Beat, again, lasting
from bot.store.exchanging import Awaited, Exchange
from bot.store.keys import Keys
from bot.store.offered import Offered
from bot.store.tally import Tally
from bot.testing import wait_until


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "FIRST", 0.01)


@asynccontextmanager
async def going(what: Awaitable[None]) -> AsyncIterator[asyncio.Future[None]]:
    task = asyncio.ensure_future(what)
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def failing(*faults: BaseException | None) -> tuple[list[float], Callable[[], Awaitable[None]]]:
    """Raises these in turn, then goes well; when it was called."""
    calls: list[float] = []

    async def once() -> None:
        calls.append(asyncio.get_running_loop().time())
        if len(calls) <= len(faults) and (fault := faults[len(calls) - 1]):
            raise fault

    return calls, once


async def test_a_round_that_fails_is_told_by_its_name_and_goes_on_after_pauses_that_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "time", SimpleNamespace(monotonic=lambda: 0.0))  # it fails at once, however slow this machine is
    calls, once = failing(*[TypeError("a fault")] * 5)
    with capture_logs() as log:
        async with going(again("counts", once, Beat(0.001), longest=0.04)):
            await wait_until(lambda: len(calls) > 7)
    told = [(entry["round"], entry["again_in"]) for entry in log if entry["event"] == "a round failed"]
    assert told == [("counts", 0.01), ("counts", 0.02), ("counts", 0.04), ("counts", 0.04), ("counts", 0.04)]
    waited = [later - before for before, later in pairwise(calls)]
    assert all(wait > 0.9 * least for wait, (_, least) in zip(waited, told, strict=False))


async def test_what_was_cancelled_below_a_round_does_not_end_it_and_who_stops_it_does() -> None:
    calls, once = failing(asyncio.CancelledError())
    with capture_logs() as log:
        async with going(again("tickets", once, Beat(0.001))) as task:
            await wait_until(lambda: len(calls) > 1)
    assert task.cancelled()
    assert [entry["round"] for entry in log if entry["event"] == "a round failed"] == ["tickets"]


async def test_while_redis_is_away_one_line_says_so_and_one_that_it_is_back() -> None:
    calls, once = failing(*[StoreError("Redis does not answer")] * 3)
    with capture_logs() as log:
        async with going(again("leases", once, Beat(0.001))):
            await wait_until(lambda: len(calls) > 4)
    assert [entry["event"] for entry in log] == ["redis is away", "redis is back"]


@pytest.mark.alone
async def test_rounds_of_one_beat_begin_at_one_moment_and_one_that_takes_longer_joins_them_again() -> None:
    beat, begun = Beat(0.02), dict[str, list[float]](a=[], b=[], slow=[])

    def noting(name: str, takes: float = 0.0) -> Awaitable[None]:
        async def once() -> None:
            begun[name].append(asyncio.get_running_loop().time())
            await asyncio.sleep(takes)

        return again(name, once, beat)

    async with going(noting("a")), going(noting("b")), going(noting("slow", 0.03)):
        await wait_until(lambda: len(begun["slow"]) > 4)
    assert all(abs(one - other) < beat.pause / 2 for one, other in zip(begun["a"], begun["b"], strict=False))
    assert all(min(abs(one - other) for other in begun["a"]) < beat.pause / 2 for one in begun["slow"])
    assert len(begun["slow"]) < len(begun["a"])


async def test_what_a_router_at_rest_asks_the_store_travels_together(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    travelled: list[bytes] = []

    send = Exchange._send

    async def sent(ask: Exchange, calls: Sequence[Awaited]) -> None:
        travelled.append(b"".join(packed for packed, _ in calls))
        await send(ask, calls)

    monkeypatch.setattr(Exchange, "_send", sent)
    plugins = Plugins([])
    asked = [key.encode() for key in (keys.routers(), keys.ticket_leases(), keys.firings_due(), keys.retries(), keys.trace())]
    async with running(build(redis, keys, plugins, [], lease=0.6), plugins):
        await wait_until(lambda: sum(all(key in some for key in asked) for some in travelled) > 2)


async def test_what_ends_by_itself_is_not_begun_again() -> None:
    calls, once = failing()
    await lasting("receiving", once)
    assert len(calls) == 1


async def test_a_router_whose_counts_and_commands_fail_goes_on_with_them(redis: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.tally.FLUSHED", 0.001)
    calls, once = failing(ValueError("no number"))
    monkeypatch.setattr(Tally, "flush", lambda self: once())
    asked, servers = failing(ValueError("no tenant"))

    async def offered(self: Offered, bot: str, connector: str) -> list[str]:
        await servers()
        return []

    monkeypatch.setattr(Offered, "servers", offered)
    plugins = Plugins([])
    router = build(redis, keys, plugins, [])
    with capture_logs() as log:
        async with running(router, plugins):
            await wait_until(lambda: len(calls) > 1)
            router.publishing._begun["room"] = "bot"
            router.publishing._wake.set()
            await wait_until(lambda: asked)
            await wait_until(lambda: any(entry.get("round") == "commands" for entry in log))
            router.publishing._begun["room"] = "bot"
            router.publishing._wake.set()
            await wait_until(lambda: len(asked) > 1)
    assert {entry["round"] for entry in log if entry["event"] == "a round failed"} == {"counts", "commands"}
