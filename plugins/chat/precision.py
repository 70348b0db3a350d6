"""Which numbers a model computes with on this device; measured where it cannot be known. Who asks: `model.py`."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import torch

SHAPE = (32, 576, 1536)
"""Rows, inputs and outputs of the trial: a short prompt and one layer of a small model. With the rows of a step bfloat16 may be ahead where
float32 is here; a small model is better off with the more exact of two that are about as quick."""

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
    """bfloat16, or float32 on CPUs that have no instructions for bfloat16 and emulate it.

    A GPU of before 2020 has none either: it computes in float16, or in float32 for models whose numbers outgrow `float16`.

    Without AVX-512 a prompt is read 4.5 times as fast in float32 as in bfloat16; with it, either may be ahead. Asking a CPU
    for its instructions differs by system and architecture, and says little, so one multiplication of each kind is timed.
    """
    if device.startswith("cpu"):
        return min((torch.bfloat16, torch.float32), key=_seconds)
    has = not device.startswith("cuda") or torch.cuda.is_bf16_supported(including_emulation=False)
    return half(bfloat16=has, float16=float16)


def half(*, bfloat16: bool, float16: bool) -> torch.dtype:
    """The shortest numbers that the device computes with and that the model's fit into."""
    if bfloat16:
        return torch.bfloat16
    return torch.float16 if float16 else torch.float32


def _seconds(dtype: torch.dtype) -> float:
    """The shortest of a few, because other processes only ever lengthen it; of this thread, because others would be waited for."""
    rows, inputs, outputs = SHAPE
    left, right = torch.ones((rows, inputs), dtype=dtype), torch.ones((outputs, inputs), dtype=dtype)
    threads, times = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for _ in range(5):
        start = time.thread_time()
        torch.nn.functional.linear(left, right)
        times.append(time.thread_time() - start)
    torch.set_num_threads(threads)
    return min(times)
