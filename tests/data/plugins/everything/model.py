"""Every hook of the worker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot import Answer, Batch, Generate, Memory, Model, Placement, hookimpl

from .config import Config


class Parrot(Model[Generate, Answer]):
    """Says what was said."""

    name = "parrot"
    job = Generate

    def memory(self) -> Memory:
        return Memory(0)

    def load(self, placement: Placement) -> None:
        pass

    def run(self, batch: Batch[Generate, Answer]) -> None:
        for work in batch:
            text = work.job.turns[-1].text
            work.finish(Answer(text=text, finish="stop", prompt_tokens=1, tokens=1, model=self.name))

    def unload(self) -> None:
        pass


class Plugin:
    """Serves the parrot."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        return [Parrot()]
