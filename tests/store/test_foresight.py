"""What a look ahead begins with: what workers have in hand."""

from __future__ import annotations

import pytest

from bot.store.foresight import Hand, likely, outlook
from bot.store.policy import Queued
from bot.store.snapshot import Accounts, Run, Snapshot, Worker

COST, LOAD = 2.0, 3.0


def hand(*running: Run, resident: tuple[str, ...] = ()) -> Hand:
    worker = Worker("w", "w", True, "pool", {"a": 1, "b": 1}, {"say": "a"}, running, dict.fromkeys(resident, 1), None)
    accounts = {"pool": Accounts({}, {}, {}, LOAD)}
    [found] = outlook(Snapshot(0.0, [worker], [], accounts, {"a": COST, "b": COST}, {}, {})).hands
    return found


@pytest.mark.parametrize(
    ("seconds", "resident", "free"),
    [
        (0.5, ("a",), 1.5),
        (9.0, ("a",), 0.0),
        (1.0, (), COST + LOAD - 1.0),
        (1.0, ("b",), COST + LOAD - 1.0),
        (9.0, (), COST),
    ],
    ids=["runs", "runs longer than most", "loads", "loads in place of another", "loads longer than usual"],
)
def test_a_worker_is_free_when_what_it_runs_is_loaded_and_done(seconds: float, resident: tuple[str, ...], free: float) -> None:
    found = hand(Run("a", "s", seconds, parked=False), resident=resident)
    assert (found.resident, found.running, found.free) == ("a", 1, free)


def test_an_idle_worker_goes_on_with_the_model_that_it_has() -> None:
    assert [hand(resident=there).resident for there in ((), ("b",), ("a", "b"))] == [None, "b", None]


@pytest.mark.parametrize(
    ("begins", "told"),
    [([10.0, 12.0, 15.0, 90.0], 12.0), ([10.0, 12.0, 90.0, 95.0], None), ([10.0, 10.0, 10.0], 10.0)],
    ids=["three of four agree", "two and two", "all say the same"],
)
def test_what_the_futures_do_not_agree_about_is_not_told(begins: list[float], told: float | None) -> None:
    assert likely(Queued("a", "s", "p", 0.0, "job"), [{"job": seconds} for seconds in begins]) == told
