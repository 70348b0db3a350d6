"""Which numbers a model computes with."""

from __future__ import annotations

import time

import torch

from plugins.chat.precision import precision


def test_a_gpu_computes_in_bfloat16_without_a_trial() -> None:
    assert precision("cuda:0") == torch.bfloat16


def test_a_cpu_computes_in_what_is_clearly_quicker_on_it() -> None:
    chosen = precision("cpu")
    other = ({torch.bfloat16, torch.float32} - {chosen}).pop()
    assert seconds(chosen) < 2 * seconds(other)


def seconds(dtype: torch.dtype) -> float:
    left, right = torch.ones((64, 576), dtype=dtype), torch.ones((1536, 576), dtype=dtype)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        torch.nn.functional.linear(left, right)
        times.append(time.perf_counter() - start)
    return min(times)
