"""What a worker's models offer to the queue, and what they have begun and go on with. Claiming it: `loop.py`."""

from __future__ import annotations

from typing import Any

from bot.jobs import wanted
from bot.models import Model
from bot.store.shifts import Offer
from bot.worker.parked import Parked


def offer(model: Model[Any, Any], *, most: int | None = None, resident: bool = False, parked: Parked | None = None) -> Offer:
    """What the model serves, as the queue names it."""
    wants = [wanted(model.job.kind, name) for name in (None, model.name, *model.also)]
    room = (model.concurrency or model.max_batch) if most is None else most
    if parked is None:
        return Offer(model.name, wants, room, resident)
    return Offer(model.name, wants, parked.room(room), resident, parked.since, parked.works[0].claim.batch)
