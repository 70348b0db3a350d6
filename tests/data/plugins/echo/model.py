"""A model that repeats what was said, one word at a time; while there is a file PARROT_HOLD it stops in the middle, and leaves a note."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot import Answer, Batch, Generate, Memory, Model, Placement, TextSoFar, hookimpl


class Parrot(Model[Generate, Answer]):
    """Says what was said."""

    name = "parrot"
    job = Generate

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None:
        pass

    def run(self, batch: Batch[Generate, Answer]) -> None:
        hold = Path(os.environ.get("PARROT_HOLD", "/nowhere"))
        for work in batch:
            said: list[str] = []
            for word in work.job.turns[-1].text.split():
                said.append(word)
                work.emit(TextSoFar(text=" ".join(said)))
                while len(said) == 2 and hold.exists():
                    hold.with_suffix(".held").touch()
                    time.sleep(0.02)
            work.finish(Answer(text=" ".join(said), finish="stop", prompt_tokens=1, tokens=1, model=self.name))

    def unload(self) -> None:
        pass


class Plugin:
    """Serves the parrot."""

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        return [Parrot()]
