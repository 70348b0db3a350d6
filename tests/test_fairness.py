"""The queue's policy keeps its promises in the simulation; `make bench ONLY=queue` has more runs of it, and other policies beside it."""

from __future__ import annotations

import pytest

from tests.bench.fairness import SCENES, evenness
from tests.bench.policies import Fifo
from tests.bench.simulation import Scene, arrivals, run
from tests.reference import Reference


@pytest.mark.parametrize(("scene", "goal"), [goal for scenes in SCENES.values() for goal in scenes.values()])
def test_a_flood_makes_nobody_else_wait_long_and_no_device_idle(scene: Scene, goal: float) -> None:
    seen = run(scene, Reference(), arrivals(scene, 1))
    assert seen.percentile(0.95) <= goal
    assert seen.idle_beside_work == 0


@pytest.mark.parametrize("scenes", SCENES.values(), ids=list(SCENES))
def test_models_are_loaded_less_often_than_in_order_of_arrival(scenes: dict[float, tuple[Scene, float]]) -> None:
    scene, _ = scenes[8.0]
    ours, theirs = (run(scene, policy, arrivals(scene, 1)) for policy in (Reference(), Fifo()))
    assert ours.swaps_an_hour <= 0.7 * theirs.swaps_an_hour


def test_servers_with_longer_jobs_get_no_more_of_the_device() -> None:
    assert evenness(1) >= 0.95
