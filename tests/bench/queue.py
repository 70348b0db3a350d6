"""The queue: whom it serves when, whether what it foretells comes true, and how quick it is beside others."""

from __future__ import annotations

from tests.bench import fairness, foretold, relay, rivals
from tests.bench.figures import Figure


def measure() -> dict[str, Figure]:
    return fairness.measure() | foretold.measure() | relay.measure() | rivals.measure()
