"""The queue: whom it serves when, in a simulation, and how quick it is beside others."""

from __future__ import annotations

from tests.bench import fairness, relay, rivals
from tests.bench.figures import Figure


def measure() -> dict[str, Figure]:
    return fairness.measure() | relay.measure() | rivals.measure()
