"""Runs a turn on the device: once more, in parts, where memory runs out; fails what cannot be done. Who waits for it: `loop.py`."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.models import Model
from bot.worker.device import Device
from bot.worker.diagnosis import Ailment, DeviceLost, diagnose
from bot.worker.spread import spread
from bot.worker.work import Claimed, Turn

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, without the error itself: its traceback would keep alive whatever filled the memory."""

    ailment: Ailment
    reason: str


class Part:
    """Some jobs of a turn. Implements `bot.models.Batch`; nobody joins it."""

    def __init__(self, turn: Turn, works: Sequence[Claimed]) -> None:
        self._turn = turn
        self._works = works
        for work in works:
            work.begin(turn.meter)

    def __iter__(self) -> Iterator[Claimed]:
        """The jobs."""
        return iter(self._works)

    @property
    def over(self) -> bool:
        """As of the turn."""
        return self._turn.over

    def join(self, free: int) -> Sequence[Claimed]:
        """Nobody."""
        return ()

    def stop(self) -> list[Claimed]:
        """The jobs that have not ended; they take no time of the device any more."""
        left = [work for work in self._works if work.end is None]
        for work in left:
            work.pause()
        return left


def run(device: Device, model: Model[Any, Any], turn: Turn) -> list[Claimed]:
    """Brings the model in and runs the turn; the jobs that it parked. Raises DeviceLost.

    When memory runs out, everything else leaves the device, and the load or the jobs are tried once more. Jobs that ran together
    are then tried in halves, down to each alone, and one that runs out alone fails, and no other. What else goes wrong fails
    the jobs that are left and that somebody waits for.
    """
    fault = _brought(device, model, turn)
    if not fault:
        if not turn.begin():
            return []
        fault = _tried(model, turn)
        device.touch(model)
    if fault and fault.ailment == "memory" and turn.begun:
        _again(device, model, turn)
    elif fault:
        _fail(turn, fault.reason)
    if turn.over and model.parks:
        return _parked(turn)
    _fail(turn, "the model returned without an answer")
    return []


def _brought(device: Device, model: Model[Any, Any], turn: Turn) -> Fault | None:
    fault = _fault(model, lambda: device.bring_in(model, turn.loaded, turn.patience))
    if fault and fault.ailment == "memory":
        device.alone(model)
        fault = _fault(model, lambda: device.bring_in(model, turn.loaded, turn.patience))
    return fault


def _again(device: Device, model: Model[Any, Any], turn: Turn) -> None:
    left = turn.left()
    turn.room = 0  # what has no room for its own takes in no others
    for work in left:
        work.pause()
    together = device.alone(model) or len(left) == 1
    parts = deque([left] if together else _halves(left))
    while parts and not (turn.over and model.parks):
        part = Part(turn, parts.popleft())
        fault = _tried(model, part)
        left = part.stop()
        if fault and fault.ailment == "memory" and len(left) > 1:
            parts.extendleft(reversed(_halves(left)))
        elif fault or not (turn.over and model.parks):
            _fail(left, fault.reason if fault else "the model returned without an answer")
    device.touch(model)


def _halves(works: Sequence[Claimed]) -> list[Sequence[Claimed]]:
    middle = (len(works) + 1) // 2
    return [half for half in (works[:middle], works[middle:]) if half]


def _tried(model: Model[Any, Any], batch: Turn | Part) -> Fault | None:
    return _fault(model, lambda: spread(model, batch) if model.concurrency else model.run(batch))


def _fault(model: Model[Any, Any], what: Callable[[], None]) -> Fault | None:
    """What went wrong. Raises DeviceLost."""
    try:
        what()
        return None
    except Exception as error:  # any library below a model may raise anything
        log.exception("a turn failed", model=model.name)
        fault = Fault(diagnose(error), f"{type(error).__name__}: {error}")
    if fault.ailment == "device" and not model.concurrency:  # another program's device is not ours
        raise DeviceLost(fault.reason)
    gc.collect()  # the frames that the error came through hold what filled the memory
    return fault


def _fail(works: Iterable[Claimed], reason: str) -> None:
    for work in works:
        if work.cancelled:
            work.drop()
        else:
            work.fail(reason)


def _parked(turn: Turn) -> list[Claimed]:
    """The jobs that go on later; those that nobody waits for any more end here."""
    left = turn.left()
    for work in left:
        work.pause()
        if work.cancelled:
            work.drop()
    return [work for work in left if not work.cancelled]
