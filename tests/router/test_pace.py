"""A chat is written to as often as its platform allows, and an hour of it is over in a second: the loop's clock leaps over every sleep."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

from bot.connector import Limits
from bot.connectors.telegram import Account, TelegramConnector
from bot.messages import Address
from bot.router.pace import LONG_PAST, REMEMBERED, Pace
from tests.connectors.on_telegram import Deaf
from tests.leaping import Leaping, leap
from tests.wire import telegram_rules

ROOM = Address("room", "lounge", "main")
PLAIN = Limits(text=100, file=0, edit_interval=2.0)


def test_all_tickets_of_a_chat_share_its_pace_and_others_have_their_own() -> None:
    async def main(loop: Leaping) -> tuple[float, float]:
        pace, began = Pace(loop.time), loop.now
        await pace.turn(ROOM, PLAIN)
        await pace.turn(Address("room", "other", "main"), PLAIN)
        other = loop.now - began
        await asyncio.gather(*(pace.turn(ROOM, PLAIN) for _ in range(3)))
        return other, loop.now - began

    assert leap(main) == (0.0, 6.0)


def test_an_answer_need_not_wait_for_what_is_shown_meanwhile() -> None:
    limits = Limits(text=100, file=0, edit_interval=0.0, budget=(4, 60.0))

    async def main(loop: Leaping) -> list[int]:
        pace, times, began = Pace(loop.time), [], loop.now
        showing = asyncio.create_task(asyncio.wait_for(_show(pace, 10), 30))
        await asyncio.sleep(1)
        for _ in range(2):
            await pace.take(ROOM, limits)
            times.append(round(loop.now - began))
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        return times

    async def _show(pace: Pace, count: int) -> None:
        for _ in range(count):
            await pace.turn(ROOM, limits)

    assert leap(main) == [1, 60]


def test_a_chat_that_is_held_stops_no_other() -> None:
    async def main(loop: Leaping) -> tuple[float, float]:
        pace, began = Pace(loop.time), loop.now
        await pace.hold(ROOM, PLAIN, 30.0)
        await pace.take(Address("room", "other", "main"), PLAIN)
        other = loop.now - began
        await pace.take(ROOM, PLAIN)
        return other, loop.now - began

    assert leap(main) == (0.0, 30.0)


def test_chats_that_are_only_answered_are_forgotten_and_one_that_waits_is_still_counted() -> None:
    limits = Limits(text=100, file=0, edit_interval=0.0, budget=(1, 60.0))

    async def main(loop: Leaping) -> tuple[int, float]:
        pace, began = Pace(loop.time), loop.now
        await pace.hold(ROOM, limits, 310.0)
        waiting = asyncio.create_task(pace.take(ROOM, limits))
        for number in range(3 * REMEMBERED):
            await pace.take(Address("room", str(number), "main"), limits)
            await asyncio.sleep(LONG_PAST + 1.0 if number % REMEMBERED == REMEMBERED - 1 else 0.0)
        await waiting
        await pace.take(ROOM, limits)
        return len(pace._chats), loop.now - began

    assert leap(main) == (1, 370.0)


def test_an_hour_of_load_on_telegram_has_no_refusal() -> None:
    connector = TelegramConnector(Account("1:x"), Deaf())
    chance = random.Random(3)
    people = [Address("telegram", str(100 + number), "main", direct=True) for number in range(30)]
    groups = [Address("telegram", str(-100 - number), "main", str(number % 3)) for number in range(12)]
    answered: Mapping[str, list[float]] = {"direct": [], "group": []}

    async def main(loop: Leaping) -> telegram_rules.Pace:
        pace, platform = Pace(loop.time), telegram_rules.Pace(loop.time)

        async def call(to: Address, take: Callable[[Address, Limits], Awaitable[None]]) -> None:
            await take(to, connector.limits(to))
            await asyncio.sleep(chance.uniform(0.02, 0.4))  # on its way
            platform.take(int(to.server))

        async def stream(to: Address) -> None:
            while True:
                await call(to, pace.turn)

        async def chat(to: Address) -> None:
            while loop.now < 1000.0 + 3600.0:
                await asyncio.sleep(chance.expovariate(1 / (40.0 if to.direct else 8.0)))
                writing = asyncio.create_task(stream(to))
                await asyncio.wait((writing,), timeout=chance.uniform(1.0, 20.0))
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
                asked = loop.now
                for _ in range(chance.choice((1, 1, 1, 3))):
                    await call(to, pace.take)
                answered["direct" if to.direct else "group"].append(loop.now - asked)

        await asyncio.gather(*(chat(to) for to in [*people, *groups, *groups]))
        return platform

    platform = leap(main)
    waits = {kind: sorted(times) for kind, times in answered.items()}
    assert platform.refused == 0
    assert min(map(len, waits.values())) > 1000
    assert waits["direct"][int(0.95 * len(waits["direct"]))] < 10.0
