"""A model's folder becomes a model and a tokenizer of transformers, ready to run. What is asked of them: `engine.py`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from bot import ChatFacts
from bot.importing import importing
from plugins.chat.config import Running
from plugins.chat.precision import Numbers


def loaded(folder: Path, device: str, facts: ChatFacts | None, numbers: Numbers, running: Running | None = None) -> tuple[Any, Any]:
    """The model and its tokenizer.

    Raises ValueError for a folder that holds another model than it should, one that writes no text, or a precision that cannot be had.
    """
    local = {"local_files_only": True, "trust_remote_code": False, **_gguf(folder)}
    with importing():  # each name of the library brings modules of its own
        transformers: Any = import_module("transformers")  # its annotations do not cover what its Auto classes return
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        tokenizers, config = transformers.AutoTokenizer, transformers.AutoConfig.from_pretrained(folder, **local)
        native = transformers.MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    found = native.__name__ if native else f"no model that writes text ({type(config).__name__})"
    if native is None or (facts is not None and found != facts.architecture):
        raise ValueError(f"expected {facts.architecture if facts else 'a causal language model'} in {folder}, found {found}")
    if numbers.quantised and (_gguf(folder) or getattr(config, "quantization_config", None)):
        raise ValueError(f"the weights in {folder} are in fewer bits already: take `precision` out of their [plugins.chat.running] table")
    options = _options(transformers, numbers, device)
    if "gguf_file" in local:  # left to itself, transformers 5.23 unpacks other numbers than are in the file
        options["quantization_config"] = transformers.GgufConfig(dequantize=True)
    model = native.from_pretrained(folder, config=config, use_safetensors=True, **local, **options)
    model = (model if numbers.quantised else model.to(device)).eval()
    if running and running.compile:
        model.compile(dynamic=True)
    return model, tokenizers.from_pretrained(folder, **local)


def _gguf(folder: Path) -> dict[str, str]:
    """A folder without safetensors may hold one file of llama.cpp's, which is unpacked while it is read."""
    files = [] if any(folder.glob("*.safetensors")) else sorted(folder.glob("*.gguf"))
    if len(files) > 1:
        raise ValueError(f"expected one .gguf file in {folder}, found {len(files)}: leave the one that is to be run")
    return {"gguf_file": files[0].name} if files else {}


def _options(transformers: Any, numbers: Numbers, device: str) -> dict[str, Any]:
    if not numbers.quantised:
        return {"dtype": numbers.dtype}
    four = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": numbers.dtype}
    bits = transformers.BitsAndBytesConfig(**(four if numbers.weights == "int4" else {"load_in_8bit": True}))
    return {"dtype": numbers.dtype, "device_map": {"": device}, "quantization_config": bits}
