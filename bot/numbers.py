"""Which numbers this machine's processor computes with, and how fast; tried, because it cannot be known.

A program as well, `python -m bot.numbers`, for processes that load no model library. GPUs: `plugins/chat/precision.py`.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

SHAPE = (32, 576, 1536)
"""Rows, inputs and outputs of the trial: a short prompt and one layer of a small model. With the rows of a step bfloat16 may be ahead where
float32 is here; a small model is better off with the more exact of two that are about as quick."""

CpuDtype = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Trial:
    """The quicker numbers of this processor, and the operations a second that all its cores do with them."""

    dtype: CpuDtype
    operations: float


def cpu_dtype() -> CpuDtype:
    """bfloat16, or float32 on CPUs that have no instructions for bfloat16 and emulate it.

    Without AVX-512 a prompt is read 4.5 times as fast in float32 as in bfloat16; with it, either may be ahead. Asking a CPU
    for its instructions differs by system and architecture, and says little, so one multiplication of each kind is timed.
    """
    return tried().dtype


def tried() -> Trial:
    """Takes some 25 ms, once torch is there. Raises ImportError where it is not."""
    import torch

    kinds: tuple[CpuDtype, ...] = ("bfloat16", "float32")
    seconds = {kind: _seconds(getattr(torch, kind)) for kind in kinds}
    best = min(kinds, key=lambda kind: seconds[kind])
    rows, inputs, outputs = SHAPE
    return Trial(best, 2 * rows * inputs * outputs / seconds[best] * torch.get_num_threads())


def _seconds(dtype: torch.dtype) -> float:
    """The shortest of a few, because other processes only ever lengthen it; of this thread, because others would be waited for."""
    import torch

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


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(tried())))
