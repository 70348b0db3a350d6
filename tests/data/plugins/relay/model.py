"""A model that says one word of every job in each of its steps; up to four jobs at a time, which come and go."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from bot import Answer, Batch, Generate, Memory, Model, Placement, TextSoFar, Work, hookimpl

STEP = 0.05


class Relay(Model[Generate, Answer]):
    """Says what was said."""

    name = "relay"
    job = Generate
    max_batch = 4

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None:
        pass

    def run(self, batch: Batch[Generate, Answer]) -> None:
        said = dict.fromkeys(batch, 0)
        while said:
            said |= dict.fromkeys(batch.join(self.max_batch - len(said)), 0)
            time.sleep(STEP)
            for work in list(said):
                said[work] += 1
                if self.said(work, said[work]):
                    del said[work]

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
