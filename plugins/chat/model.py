"""The chat models in the worker: what they take, and when they run. Loading one: `loading.py`; how answers are written: `engine.py`."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import Answer, Batch, Catalogue, Entry, Generate, Memory, Model, Placement, hookimpl
from plugins.chat.config import Config, served
from plugins.chat.remote import Remote

if TYPE_CHECKING:
    from plugins.chat.engine import Engine


class Chat(Model[Generate, Answer]):
    """A causal language model of transformers, from safetensors, with its native class; code in a model's folder is never run."""

    job = Generate
    parks = True

    def __init__(self, config: Config, entry: Entry) -> None:
        self.name = self.weights = entry.name
        self.max_batch = config.max_batch
        self._facts = entry.chat
        self._context = config.context
        self._engine: Engine | None = None

    def memory(self) -> Memory:
        """Measured once loaded. Before that foretold from the catalogue, in float32, which is the most it takes; else 0."""
        if self._engine is not None:
            return self._engine.memory
        if self._facts is None:
            return Memory(0)
        window = min(self._context, self._facts.context)
        return Memory(self._facts.weights("float32"), self._facts.cache * 4 * window * self.max_batch)

    def load(self, placement: Placement) -> None:
        """Raises FileNotFoundError with what to do when the weights are not there, ValueError for a model that cannot chat."""
        import torch

        from plugins.chat.engine import Engine
        from plugins.chat.loading import loaded

        torch.set_num_threads(placement.threads)
        model, tokenizer = loaded(_weights(self.name, placement), placement.device, self._facts)
        self._engine = Engine(self.name, model, tokenizer, context=self._context, max_batch=self.max_batch, chat=self._facts)

    def run(self, batch: Batch[Generate, Answer]) -> None:
        """See `Engine.run`."""
        if self._engine is None:
            raise RuntimeError(f"{self.name} must be loaded before it runs")
        self._engine.run(batch)

    def park(self) -> None:
        """See `Engine.park`."""
        if self._engine is not None:
            self._engine.park()

    def unpark(self) -> None:
        """See `Engine.unpark`."""
        if self._engine is not None:
            self._engine.unpark()

    def unload(self) -> None:
        """The last reference goes; a GPU's memory is given back to it."""
        import torch

        if self._engine is not None:
            self._engine.close()
        self._engine = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _weights(name: str, placement: Placement) -> Path:
    folder = placement.weights
    if folder is None or not (folder / "config.json").is_file():
        raise FileNotFoundError(f"expected the model {name!r} in {folder}, found no config.json there: run `hobnob models pull {name}`")
    return folder


class Plugin:
    """Chats."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._config = config
        self._served = served(config, catalogue)

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        """The models that the operator chose."""
        local = [Chat(self._config, one.entry) for one in self._served if one.entry]
        return [*local, *(Remote(one.name, one.server) for one in self._served if one.server)]
