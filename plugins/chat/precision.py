"""Which numbers a model computes with on this device; measured where it cannot be known. Who asks: `model.py`."""

from __future__ import annotations

import time

import torch

SHAPE = (32, 576, 1536)
"""Rows, inputs and outputs of the trial: a short prompt and one layer of a small model."""


def precision(device: str, *, float16: bool = True) -> torch.dtype:
    """bfloat16, or float32 on CPUs that have no instructions for bfloat16 and emulate it.

    A GPU of before 2020 has none either: it computes in float16, or in float32 for models whose numbers outgrow `float16`.

    Without AVX-512 a prompt is read 4.5 times as fast in float32 as in bfloat16; with it, bfloat16 is ahead. Asking a CPU
    for its instructions differs by system and architecture, so one multiplication of each kind is timed.
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
    """The shortest of a few, because other processes only ever lengthen it."""
    rows, inputs, outputs = SHAPE
    left, right = torch.ones((rows, inputs), dtype=dtype), torch.ones((outputs, inputs), dtype=dtype)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        torch.nn.functional.linear(left, right)
        times.append(time.perf_counter() - start)
    return min(times)
