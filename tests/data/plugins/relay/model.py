"""A model that says one word of every job in each of its steps; up to four jobs at a time, which come and go.

Some first words ask for trouble: "memory" (there is none, the first time), "device" (it is lost), "poison" (kills the worker), "stuck"
(nothing else of the process runs for longer than a lease). It cannot be loaded while the file in RELAY_BROKEN is there.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot import Answer, Batch, Generate, Memory, Model, Placement, TextSoFar, Work, hookimpl

STEP = 0.05

STUCK = 9
"""Seconds; a lease of a job lasts eight."""


class Relay(Model[Generate, Answer]):
    """Says what was said."""

    name = "relay"
    job = Generate
    max_batch = 4

    def __init__(self) -> None:
        self._known: set[str] = set()

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None:
        if (broken := os.environ.get("RELAY_BROKEN")) and Path(broken).exists():
            raise OSError("the weights cannot be read")

    def run(self, batch: Batch[Generate, Answer]) -> None:
        said = {work: self.begun(work) for work in batch}
        while said:
            said |= {work: self.begun(work) for work in batch.join(self.max_batch - len(said))}
            time.sleep(STEP)
            for work in list(said):
                said[work] += 1
                if self.said(work, said[work]):
                    del said[work]

    def begun(self, work: Work[Generate, Answer]) -> int:
        """No word is said yet; unless the words ask for trouble."""
        text = work.job.turns[-1].text
        match text.partition(" ")[0]:
            case "memory" if text not in self._known:
                self._known.add(text)
                raise MemoryError
            case "device":
                raise RuntimeError("CUDA error: device-side assert triggered")
            case "poison":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stuck":
                ctypes.PyDLL(None).sleep(STUCK)  # keeps the interpreter's lock
        return 0

    def said(self, work: Work[Generate, Answer], count: int) -> bool:
        """Says so many words; True when that is all."""
        words = work.job.turns[-1].text.split()
        text = " ".join(words[:count])
        if work.cancelled or count >= len(words):
            work.finish(Answer(text=text, finish="stop", prompt_tokens=1, tokens=count, model=self.name))
            return True
        work.emit(TextSoFar(text=text))
        return False

    def unload(self) -> None:
        pass


class Plugin:
    """Serves the relay."""

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        return [Relay()]
