"""A model's folder becomes a pipeline on its device, as the plan says. It imports diffusers at once; what is drawn: `engine.py`."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from bot import ImageFacts, ImagePlan
from bot.importing import importing

LIBRARIES = ("torch", "diffusers", "transformers", "tokenizers", "numpy")
"""On whose versions the last bits of a picture depend."""

HEAD = 1 << 20
"""Bytes of each file that tell one release of a model from another; a safetensors file begins with the names and places of its tensors."""

GROUP = 2
"""Blocks that are on the device at once with `group`, and as many that are on their way."""


def loaded(folder: Path, plan: ImagePlan, device: str, facts: ImageFacts) -> Any:
    """The pipeline. Raises FileNotFoundError for a folder without one, ValueError for another class than was expected."""
    index = folder / "model_index.json"
    if not index.is_file():
        raise FileNotFoundError(f"expected a pipeline of diffusers in {folder}, found no model_index.json there")
    found = json.loads(index.read_text(encoding="utf-8")).get("_class_name")
    if found != facts.pipeline:
        raise ValueError(f"expected {facts.pipeline} in {folder}, found {found}")
    with importing():
        getattr(diffusers, found)  # with what it is made of, before weights are read
    for library in (transformers, diffusers.utils):
        library.logging.set_verbosity_error()
        library.logging.disable_progress_bar()
    options: dict[str, Any] = {"quantization_config": _quantised(plan)} if plan.fit in ("int8", "nf4") else {}
    dtype = torch.float32 if plan.precision == "float32" else torch.bfloat16
    pipe: Any = diffusers.DiffusionPipeline.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False, **options
    )
    pipe.set_progress_bar_config(disable=True)
    return placed(pipe, plan, device)


def placed(pipe: Any, plan: ImagePlan, device: str) -> Any:
    """The pipeline where its plan wants it."""
    if plan.tiled and getattr(pipe, "vae", None) is not None:
        pipe.vae.enable_tiling()
    match plan.fit:
        case "offload":
            pipe.enable_model_cpu_offload(device=device)
        case "group":
            stream = device.startswith("cuda")
            pipe.enable_group_offload(torch.device(device), num_blocks_per_group=GROUP, use_stream=stream, low_cpu_mem_usage=stream)
        case _:
            pipe.to(device)
    return pipe


def quantises() -> bool:
    """Whether weights of 8 and 4 bits can be had here."""
    return find_spec("bitsandbytes") is not None


def _quantised(plan: ImagePlan) -> Any:
    if not quantises():
        raise ValueError(
            f"fit = {plan.fit!r}: expected the library bitsandbytes beside Hobnob, found none; install it, or take another fit"
        )
    four: dict[str, Any] = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": torch.bfloat16}
    backend, options = ("bitsandbytes_4bit", four) if plan.fit == "nf4" else ("bitsandbytes_8bit", {"load_in_8bit": True})
    parts = ["transformer", "text_encoder_2"]
    return diffusers.quantizers.PipelineQuantizationConfig(quant_backend=backend, quant_kwargs=options, components_to_quantize=parts)


def revision(folder: Path) -> str:
    """What tells this release of the model from others: a digest of the names, sizes and beginnings of its files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode() + file.read(HEAD))
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """By library."""
    return {name: version(name) for name in LIBRARIES}


def described(device: str) -> str:
    """The device and what else of it the last bits depend on."""
    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{device.partition(':')[0]} with {capability}, {torch.get_num_threads()} threads"
