"""The chat model in the worker: loads it, and runs jobs with it. How answers are written: `engine.py`."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import Answer, Batch, Generate, Memory, Model, Placement, hookimpl
from plugins.chat.config import Config

if TYPE_CHECKING:
    from plugins.chat.engine import Engine

STARTER = "smollm2-135m-instruct"

STARTER_PARAMETERS = 134_515_008
"""From the shapes in its config.json; the head shares the embedding's weights."""

STARTER_TOKEN = 30 * 3 * 64 * 2
"""Numbers in the cache for each token: layers, key heads, size of a head, keys and values."""


class Chat(Model[Generate, Answer]):
    """A causal language model of transformers, from safetensors, with its native class; code in a model's folder is never run."""

    job = Generate
    parks = True

    def __init__(self, config: Config) -> None:
        self.name = self.weights = config.model
        self.max_batch = config.max_batch
        self._context = config.context
        self._engine: Engine | None = None

    def memory(self) -> Memory:
        """Measured once loaded. Before that known for the starter, in float32, which is the most it takes; 0 for others."""
        if self._engine is not None:
            model = self._engine.model
            per_token = _cache_numbers(model.config) * model.dtype.itemsize
            return Memory(model.get_memory_footprint(), per_token * self._engine.window * self.max_batch)
        known = 4 if self.name == STARTER else 0
        return Memory(STARTER_PARAMETERS * known, STARTER_TOKEN * known * self._context * self.max_batch)

    def load(self, placement: Placement) -> None:
        """Raises FileNotFoundError with what to do when the weights are not there, ValueError for a model that cannot chat."""
        import torch

        from plugins.chat.engine import Engine
        from plugins.chat.precision import precision

        folder = _weights(self.name, placement)
        torch.set_num_threads(placement.threads)
        transformers: Any = import_module("transformers")  # its annotations do not cover what its Auto classes return
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        local = {"local_files_only": True, "trust_remote_code": False}
        dtype = precision(placement.device)
        loaded = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, **local)
        model = loaded.to(placement.device).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **local)
        self._engine = Engine(self.name, model, tokenizer, context=self._context, max_batch=self.max_batch)

    def run(self, batch: Batch[Generate, Answer]) -> None:
        """See `Engine.run`."""
        if self._engine is None:
            raise RuntimeError(f"{self.name} must be loaded before it runs")
        self._engine.run(batch)

    def unload(self) -> None:
        """The last reference goes; a GPU's memory is given back to it."""
        import torch

        self._engine = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _weights(name: str, placement: Placement) -> Path:
    folder = placement.weights
    if folder is None or not (folder / "config.json").is_file():
        raise FileNotFoundError(f"expected the model {name!r} in {folder}, found no config.json there: run `hobnob models pull {name}`")
    return folder


def _cache_numbers(config: Any) -> int:
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(config.num_hidden_layers * heads * size * 2)


class Plugin:
    """Chats."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @hookimpl
    def register_models(self) -> Iterable[Model[Any, Any]]:
        """The one model that the operator chose."""
        return [Chat(self._config)]
