"""Which numbers a model computes with on this device. What a processor is quicker in is tried by the core; who asks: `model.py`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import torch

from bot import cpu_dtype

Weights = Literal["float32", "bfloat16", "int8", "int4"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the weights are stored in, and what is computed in; the cache is in that too."""

    weights: Weights
    dtype: torch.dtype

    @property
    def quantised(self) -> bool:
        """Whether the weights are stored in fewer bits than are computed in."""
        return self.weights in ("int8", "int4")


def numbers(wanted: Weights | Literal["auto"], device: str, *, float16: bool = True) -> Numbers:
    """What `wanted` means on this device. Raises ValueError for fewer bits where what stores them is not installed, or not for it."""
    if wanted in ("int8", "int4"):
        _check(device)
        computed = torch.bfloat16 if device.startswith("cpu") else precision(device, float16=float16)
        return Numbers(wanted, computed)
    dtype = precision(device, float16=float16) if wanted == "auto" else getattr(torch, wanted)
    return Numbers("float32" if dtype is torch.float32 else "bfloat16", dtype)


def _check(device: str) -> None:
    if find_spec("bitsandbytes") is None:
        raise ValueError("weights in 8 or 4 bits take bitsandbytes, which is not installed: `.venv/bin/pip install 'hobnob[quantised]'`")
    if not device.startswith(("cpu", "cuda")):
        raise ValueError(f"weights in 8 or 4 bits are for CPUs and for CUDA, found {device}: take `precision` out")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it tells of every cast


def precision(device: str, *, float16: bool = True) -> torch.dtype:
    """On a CPU what it is quicker in. A GPU of before 2020 has no bfloat16: float16, or float32 where numbers outgrow `float16`."""
    if device.startswith("cpu"):
        chosen: torch.dtype = getattr(torch, cpu_dtype())
        return chosen
    has = not device.startswith("cuda") or torch.cuda.is_bf16_supported(including_emulation=False)
    return half(bfloat16=has, float16=float16)


def half(*, bfloat16: bool, float16: bool) -> torch.dtype:
    """The shortest numbers that the device computes with and that the model's fit into."""
    if bfloat16:
        return torch.bfloat16
    return torch.float16 if float16 else torch.float32
