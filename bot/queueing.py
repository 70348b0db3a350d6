"""The table of how the devices are shared among those who wait. The queue itself: `bot/store/queue.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.tables import Table


class QueueTable(Table):
    """How the devices are shared. Who is served next is decided by the seconds of a device that each server and person took."""

    per_server: int = Field(default=50, ge=1, le=100_000)
    """The most requests of one server that may wait; more are refused at once, with their number."""

    per_person: int = Field(default=3, ge=1, le=100_000)
    """The most requests of one person that may wait in one server."""

    quiet: bool = False
    """Whether servers begin without status lines: no places in line, no progress and no previews, only answers and what somebody must
    decide. A server may choose otherwise."""

    offer_after: float = Field(default=60.0, ge=0.0, le=86_400.0)
    """Seconds of an expected wait from which, or a pause during which, the status line offers what `instead` allows."""

    instead: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Other models that people may choose while they wait, by kind of request, with the words of their buttons:
    `{generate = {small-model = "A smaller model, now", remote-model = "A remote one"}}`. Only those that are served at that time are
    offered, and who chooses nothing waits."""

    deadlines: dict[str, Annotated[float, Field(ge=1.0, le=86_400.0)]] = Field(default_factory=dict)
    """Seconds after which a request that still waits is dropped with a notice, because an answer would be worth nothing by then, by kind:
    `{generate = 300.0}`. Unset: what its kind says (`generate` 600, `draw` 1800, `transcribe` 86400)."""

    weights: dict[str, Annotated[float, Field(gt=0.0, le=1000.0)]] = Field(default_factory=dict)
    """Servers whose share is larger or smaller than that of the others, which is 1: `"room/lounge" = 2.0`."""
