"""Calls at a steady rate, on a clock that leaps over every sleep."""

from __future__ import annotations

import asyncio

import pytest

from bot.spacing import Beside, Spacing
from tests.leaping import Leaping, leap


def most_in_a_second(times: list[float]) -> int:
    return max(sum(at <= other < at + 1.0 - 1e-6 for other in times) for at in times)


@pytest.mark.parametrize("rate", [0.5, 6.0, 20.0, 36.0])
def test_in_no_second_there_are_more_calls_than_the_rate(rate: float) -> None:
    async def main(loop: Leaping) -> list[float]:
        spacing, times = Spacing(rate, loop.time), []

        async def call() -> None:
            await spacing.turn()
            times.append(loop.now)

        await asyncio.gather(*(call() for _ in range(100)))
        await asyncio.sleep(10.0)  # a few at once after silence, but no more than that
        await asyncio.gather(*(call() for _ in range(100)))
        return times

    times = leap(main)
    assert rate - 1 <= most_in_a_second(times) <= max(1, rate)
    assert 200 / rate <= times[-1] - times[0] <= 410 / rate + 10.0


def test_a_process_that_stood_still_makes_up_for_nothing() -> None:
    async def main(loop: Leaping) -> list[float]:
        spacing, times = Spacing(20.0, loop.time), []

        async def call(number: int) -> None:
            await spacing.turn()
            times.append(loop.now)
            if number == 30:
                loop.now += 5.0

        await asyncio.gather(*(call(number) for number in range(100)))
        return times

    assert most_in_a_second(leap(main)) <= 20


def test_who_gives_up_leaves_the_turn_to_the_next() -> None:
    async def main(loop: Leaping) -> tuple[int, int, float]:
        spacing, began = Spacing(2.0, loop.time), loop.now
        await spacing.turn()
        waiting = [asyncio.create_task(spacing.turn()) for _ in range(3)]
        await asyncio.sleep(0)
        most = spacing.waiting
        waiting[0].cancel()
        waiting[1].cancel()
        await asyncio.wait(waiting)
        return most, spacing.waiting, loop.now - began

    assert leap(main) == (3, 0, 1.0)


@pytest.mark.parametrize(("kind", "waits"), [(Spacing, 0.0), (Beside, 1.0)])
def test_what_matters_more_waits_only_where_it_shares_the_turns(kind: type[Spacing], waits: float) -> None:
    async def main(loop: Leaping) -> float:
        spacing, began = kind(1.0, loop.time), loop.now
        await spacing.turn()
        await spacing.first()
        return loop.now - began

    assert leap(main) == waits
