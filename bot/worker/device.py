"""The device and the models on it: loads what is needed, parks or unloads what must go. Called from the model's thread, one at a time.

Which of them go is decided in `residency.py`; what happens when memory runs out all the same, in `attempts.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import structlog

from bot import heap
from bot.models import Model, Placement
from bot.worker.diagnosis import DeviceLost, diagnose
from bot.worker.residency import Held, Plan, plan

log = structlog.get_logger(__name__)

Place = Callable[[Model[Any, Any]], Placement]
"""Where a model is loaded from and to."""


@dataclass(slots=True)
class Entry:
    """A model in memory; `used` is when it ran last, on the device's clock. The rest: `residency.Held`."""

    model: Model[Any, Any]
    size: int = 0
    host: int = 0
    resident: bool = False
    copied: bool = False
    used: float = 0.0


class Device:
    """What is in memory, the model used longest ago first. `room` is the device's memory for models, in bytes.

    `spare` tells how many bytes the host has for parked weights now; without it parking means nothing here, as on a CPU.
    """

    def __init__(
        self, room: int, place: Place, *, spare: Callable[[], int] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.room = room
        self._place = place
        self._spare = spare
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        self._least: dict[str, int] = {}
        """What models turned out to take at least, whatever they say."""
        self._measured: dict[str, int] = {}
        """What models took when they were loaded last: better than what they foretell."""
        self._worked: float | None = None
        """When a model was loaded, ran or left last; None where the heap was given back since."""

    def has(self, model: Model[Any, Any]) -> bool:
        """True when the model is on the device."""
        return model.name in self._entries and self._entries[model.name].resident

    @property
    def resident(self) -> dict[str, int]:
        """What is on the device, in bytes; to be asked from any thread."""
        return {name: entry.size for name, entry in self._entries.copy().items() if entry.resident}

    def reclaim(self, models: Sequence[Model[Any, Any]]) -> None:
        """Takes the memory back that another program may hold still, for a worker that has died."""
        for model in models:
            if model.concurrency and not model.remote:
                _quietly(model)

    def warm(self, model: Model[Any, Any]) -> None:
        """Loads it where it fits beside the others, so that nobody waits for it; a fault is met again, and told, by who needs the model.

        Raises DeviceLost.
        """
        try:
            if not self.has(model) and self._taken() + self._need(model) <= self.room:
                self.bring_in(model)
        except Exception as error:  # any library below a model may raise anything
            if diagnose(error) == "device":
                raise DeviceLost(str(error)) from None
            log.exception("a model could not be loaded yet", model=model.name)

    def wish(self, model: Model[Any, Any], loaded: bool) -> None:
        """Has the model on the device or not, because the operator wishes it; others make room. Raises DeviceLost."""
        if not loaded:
            self._unload_all([model.name] if model.name in self._entries else [])
            return
        try:
            self.bring_in(model)
        except Exception as error:
            if diagnose(error) == "device":
                raise DeviceLost(str(error)) from None
            log.exception("a model could not be loaded", model=model.name)

    def bring_in(
        self, model: Model[Any, Any], loaded: Callable[[float], None] = lambda seconds: None, patience: Callable[[], float] = lambda: inf
    ) -> None:
        """Has the model on the device; `loaded` is told the seconds that took, where it was not there. Raises what the models raise.

        `patience` tells how many seconds whoever waits for it has.
        """
        spare = self._spare() if self._spare else 0
        held = {name: Held(one.size, one.host, one.resident, one.copied) for name, one in self._entries.items()}
        size = held[model.name].size if model.name in held else self._need(model)
        self._make_room(plan(held, model.name, size, self.room, spare))
        entry = self._entries.pop(model.name, None) or Entry(model)
        if not entry.resident:
            loaded(self._load(entry, patience))
        self._entries[model.name] = entry  # used last, so it leaves last
        self.touch(model)

    def touch(self, model: Model[Any, Any]) -> None:
        """The model is in use."""
        self._worked = self._clock()
        if entry := self._entries.get(model.name):
            entry.used = self._clock()

    def _load(self, entry: Entry, patience: Callable[[], float]) -> float:
        model, parked, began = entry.model, entry.copied, time.monotonic()
        try:
            if parked:
                model.unpark()
            else:
                model.load(replace(self._place(model), seconds=patience()))
        except BaseException:
            with suppress(Exception):
                model.unload()  # what a load that failed has left
            raise
        took = time.monotonic() - began
        entry.resident, entry.size = True, self._measure(model)
        entry.host = model.memory().parked if self._spare else 0
        log.info("loaded", model=model.name, seconds=round(took, 2), parked=parked)
        return took

    def _make_room(self, made: Plan) -> None:
        for name in made.drop:
            self._unload(name)
        for name in made.park:
            self._park(name)
        for name in made.unload:
            self._unload(name)

    def _park(self, name: str) -> None:
        entry = self._entries[name]
        try:
            entry.model.park()
        except Exception:  # the host may have less than it seemed
            log.exception("a model could not be parked and is unloaded", model=name)
            self._unload(name)
            return
        entry.resident, entry.copied = False, True
        self._worked = self._clock()
        log.info("parked", model=name)

    def _unload(self, name: str) -> None:
        entry = self._entries.pop(name)  # first: a model that fails to unload is not there any more either
        self._worked = self._clock()
        entry.model.unload()
        log.info("unloaded", model=name)

    def alone(self, model: Model[Any, Any]) -> bool:
        """Unloads everything else, because memory ran out; true when something was on the device, and from now on is not beside it."""
        others = [name for name in self._entries if name != model.name]
        beside = sum(self._entries[name].size for name in others if self._entries[name].resident)
        resident = any(self._entries[name].resident for name in others)
        if resident:
            self._least[model.name] = max(self._least.get(model.name, 0), self.room - beside + 1)
            if entry := self._entries.get(model.name):
                entry.size = self._measure(model)
        self._unload_all(others)
        return resident

    def idle(self, seconds: float, busy: Collection[str] = ()) -> list[str]:
        """The models that nobody has used for so long."""
        now = self._clock()
        return [name for name, entry in self._entries.items() if name not in busy and now - entry.used > seconds]

    def untidy(self, seconds: float) -> bool:
        """Whether what models have freed may still be this process's, and nothing was loaded, ran or left for so long."""
        return self._worked is not None and self._clock() - self._worked >= seconds

    def tidy(self) -> None:
        """Gives the system what models have freed. Between two short notes it would cost them time: see `bot.heap`."""
        self._worked = None
        heap.give_back()

    def free(self, names: Sequence[str] | None = None) -> None:
        """Unloads these, or all: device and host have their memory back."""
        self._unload_all(list(self._entries) if names is None else names)
        if names is None and self._worked is not None:  # at once: nothing comes soon
            self.tidy()

    def elsewhere(self) -> list[str]:
        """The models that another program holds in memory for this process; it would do so for ever."""
        return [name for name, entry in self._entries.items() if entry.model.concurrency]

    def _unload_all(self, names: Sequence[str]) -> None:
        for name in names:
            _quietly(self._entries.pop(name).model)
            self._worked = self._clock()

    def _taken(self) -> int:
        return sum(entry.size for entry in self._entries.values() if entry.resident)

    def _need(self, model: Model[Any, Any]) -> int:
        taken = self._measured[model.name] if model.name in self._measured else _said(model)
        return max(taken, self._least.get(model.name, 0))

    def _measure(self, model: Model[Any, Any]) -> int:
        self._measured[model.name] = _said(model)
        return self._need(model)


def _said(model: Model[Any, Any]) -> int:
    need = model.memory()
    return need.weights + need.cache


def _quietly(model: Model[Any, Any]) -> None:
    try:
        model.unload()
        log.info("unloaded", model=model.name)
    except Exception:  # any library below a model may raise anything
        log.exception("a model could not be unloaded", model=model.name)
