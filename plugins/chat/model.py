"""The chat models in the worker: what they take, and when they run. Loading one: `loading.py`; how answers are written: `engine.py`."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import Answer, Batch, Catalogue, EngineModel, Entry, Generate, Memory, Model, Placement, hookimpl
from bot.importing import importing
from plugins.chat.config import Config, Running, Served, served
from plugins.chat.remote import Remote

if TYPE_CHECKING:
    from plugins.chat.continuous import Continuous
    from plugins.chat.engine import Engine
    from plugins.chat.precision import Numbers

log = logging.getLogger(__name__)


class Chat(EngineModel[Generate, Answer]):
    """A causal language model of transformers, from safetensors, with its native class; code in a model's folder is never run.

    `adapters` are the entries that lie on top of it, each of which answers to its own name.
    """

    job = Generate
    parks = True
    engine: Engine | Continuous | None = None

    def __init__(self, config: Config, entry: Entry, adapters: Sequence[Entry] = ()) -> None:
        self.name = self.weights = entry.name
        self.max_batch = config.max_batch
        self.also = [adapter.name for adapter in adapters]
        self._adapters = {adapter.name: adapter for adapter in adapters}
        self._facts = entry.chat
        self._context = config.context
        self._running = config.running.get(entry.name, Running())
        self._numbers: Numbers | None = None

    def memory(self) -> Memory:
        """Measured once loaded. Before that foretold from the catalogue, in the precision that it will have on its device; else 0."""
        if self.engine is not None:
            return self.engine.memory
        if self._facts is None:
            return Memory(0)
        window = min(self._context, self._facts.context)
        numbers = self._chosen(self.device or "cpu")
        cache = self._facts.cache * numbers.dtype.itemsize * window * self.max_batch
        return Memory(self._facts.weights(numbers.weights), cache)

    def _chosen(self, device: str) -> Numbers:
        """Tried once: a trial that comes out otherwise the next time must not change what was foretold."""
        with importing():
            from plugins.chat.precision import numbers

        if self._numbers is None:
            self._numbers = numbers(self._running.precision, device, float16=self._facts is None or self._facts.float16)
        return self._numbers

    def load(self, placement: Placement) -> None:
        """Raises FileNotFoundError with what to do when the weights are not there, ValueError for a model that cannot chat."""
        with importing():
            import torch

            from plugins.chat.loading import loaded

        torch.set_num_threads(placement.threads)
        folder = _weights(self.name, placement)
        model, tokenizer = loaded(folder, placement.device, self._facts, self._chosen(placement.device), self._running)
        self.engine = self._engine(model, tokenizer, placement)

    def _engine(self, model: Any, tokenizer: Any, placement: Placement) -> Engine | Continuous:
        from plugins.chat.adapters import Adapters
        from plugins.chat.engine import Engine

        speakers = self._speakers(model, tokenizer, placement)
        wanted = "continuous" if self._running.engine == "auto" and placement.device.startswith("cuda") else self._running.engine
        if wanted == "continuous" and not placement.beside:
            proven = _proven(self.name, model, speakers, self.max_batch, self._running)
            if proven is not None:
                return proven
        return Engine(model, speakers, max_batch=self.max_batch, adapters=Adapters(model, placement.beside))

    def _speakers(self, model: Any, tokenizer: Any, placement: Placement) -> Any:
        from plugins.chat.adapters import template
        from plugins.chat.speaker import Speaker, Speakers

        made = [Speaker(self.name, model, tokenizer, context=self._context, chat=self._facts)]
        for name, folder in placement.beside.items():
            facts = self._adapters[name].chat
            if facts and facts.tuned and not facts.template and (own := template(folder)):
                facts = facts.model_copy(update={"template": own})
            made.append(Speaker(name, model, tokenizer, context=self._context, chat=facts, adapter=name))
        return Speakers(made)

    def run(self, batch: Batch[Generate, Answer]) -> None:
        """See `Engine.run`."""
        if self.engine is None:
            raise RuntimeError(f"{self.name} must be loaded before it runs")
        self.engine.run(batch)

    def unload(self) -> None:
        """The last reference goes; a GPU's memory is given back to it."""
        import torch

        if self.engine is not None:
            self.engine.close()
        super().unload()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _proven(name: str, model: Any, speakers: Any, max_batch: int, running: Running) -> Continuous | None:
    """transformers' own loop, where it computes what the plain forward pass does; None where it does not, and the log says why."""
    from plugins.chat.continuous import Continuous

    engine = Continuous(model, speakers, max_batch=max_batch, compiled=running.compile)
    try:
        engine.prove()
    except Exception as error:  # a model that it is not made for may fail anywhere in it
        log.warning("%s is run in the batched engine: continuous batching did not prove itself (%s: %s)", name, type(error).__name__, error)
        engine.close()
        return None
    return engine


def _weights(name: str, placement: Placement) -> Path:
    folder = placement.weights
    if folder is None or not ((folder / "config.json").is_file() or any(folder.glob("*.gguf"))):
        raise FileNotFoundError(f"expected the model {name!r} in {folder}, found no config.json there: run `hobnob models pull {name}`")
    return folder


class Plugin:
    """Chats."""

    def __init__(self, config: Config, catalogue: Catalogue) -> None:
        self._config = config
        self._catalogue = catalogue
        self._served = served(config, catalogue)

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        """The models that the operator chose, and those that chosen adapters lie on, in the operator's order: the first is loaded first."""
        return {one.name if one.entry is None else one.entry.base or one.name: self._model(one) for one in self._served}.values()

    def _model(self, one: Served) -> Model[Any, Any]:
        if one.server:
            return Remote(one.name, one.server)
        assert one.entry is not None, "it is behind a server, or of the catalogue"
        base = one.entry.base or one.name
        above = [other.entry for other in self._served if other.entry and other.entry.base == base]
        return Chat(self._config, self._catalogue.models[base], above)
