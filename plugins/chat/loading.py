"""A model's folder becomes a model and a tokenizer of transformers, ready to run. What is asked of them: `engine.py`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from bot import ChatFacts
from plugins.chat.precision import precision


def loaded(folder: Path, device: str, facts: ChatFacts | None) -> tuple[Any, Any]:
    """The model and its tokenizer. Raises ValueError for a folder that holds another model than it should, or one that writes no text."""
    transformers: Any = import_module("transformers")  # its annotations do not cover what its Auto classes return
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    local = {"local_files_only": True, "trust_remote_code": False}
    config = transformers.AutoConfig.from_pretrained(folder, **local)
    native = transformers.MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    found = native.__name__ if native else f"no model that writes text ({type(config).__name__})"
    if native is None or (facts is not None and found != facts.architecture):
        raise ValueError(f"expected {facts.architecture if facts else 'a causal language model'} in {folder}, found {found}")
    dtype = precision(device, float16=facts is None or facts.float16)
    model = native.from_pretrained(folder, config=config, dtype=dtype, use_safetensors=True, local_files_only=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **local)
    return model.to(device).eval(), tokenizer
