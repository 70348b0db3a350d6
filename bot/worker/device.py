"""The device and the models on it: loads what a turn needs, unloads what must go. Called from the model's thread, one turn at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from bot.models import Model, Placement
from bot.worker.residency import evictions
from bot.worker.work import Claimed, Turn

log = structlog.get_logger(__name__)

Place = Callable[[Model[Any, Any]], Placement]
"""Where a model is loaded from and to."""


class Device:
    """What is resident, the model used longest ago first. `room` is the memory for models, in bytes."""

    def __init__(self, room: int, place: Place) -> None:
        self._room = room
        self._place = place
        self._resident: dict[str, Model[Any, Any]] = {}
        self._sizes: dict[str, int] = {}

    def has(self, model: Model[Any, Any]) -> bool:
        """True when the model is loaded."""
        return model.name in self._resident

    def warm(self, models: Sequence[Model[Any, Any]]) -> None:
        """Loads what fits beside one another, so that nobody waits for it; a fault is met again, and told, by who needs the model."""
        for model in models:
            try:
                if sum(self._sizes.values()) + _size(model) <= self._room:
                    self._bring_in(model, lambda seconds: None)
            except Exception:  # any library below a model may raise anything
                log.exception("a model could not be loaded yet", model=model.name)

    def run(self, model: Model[Any, Any], turn: Turn) -> list[Claimed]:
        """Brings the model in and runs the turn; the jobs that it parked.

        What goes wrong fails the jobs that are left and that somebody waits for.
        """
        try:
            self._bring_in(model, turn.loaded)
            turn.begin()
            model.run(turn)
            if turn.over and model.parks:
                return _parked(turn)
            reason = "the model returned without an answer"
        except Exception as error:  # any library below a model may raise anything
            log.exception("a turn failed", model=model.name)
            reason = f"{type(error).__name__}: {error}"
        for work in turn:
            if work.cancelled:
                work.drop()
            else:
                work.fail(reason)
        return []

    def _bring_in(self, model: Model[Any, Any], loaded: Callable[[float], None]) -> None:
        size = _size(model)
        for name in evictions(self._sizes, model.name, size, self._room):
            del self._sizes[name]  # first: a model that fails to unload is not there any more either
            self._resident.pop(name).unload()
            log.info("unloaded", model=name)
        if model.name not in self._resident:
            began = time.monotonic()
            model.load(self._place(model))
            took = time.monotonic() - began
            log.info("loaded", model=model.name, seconds=round(took, 2))
            loaded(took)
        self._resident[model.name] = self._resident.pop(model.name, model)  # used last, so it leaves last
        self._sizes[model.name] = self._sizes.pop(model.name, size)


def _size(model: Model[Any, Any]) -> int:
    need = model.memory()
    return need.weights + need.cache


def _parked(turn: Turn) -> list[Claimed]:
    """The jobs that go on later; those that nobody waits for any more end here."""
    left = [work for work in turn if work.end is None]
    for work in left:
        work.pause()
        if work.cancelled:
            work.drop()
    return [work for work in left if not work.cancelled]
