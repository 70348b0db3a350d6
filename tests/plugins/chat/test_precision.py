"""Which numbers a model computes with."""

from __future__ import annotations

import time

import pytest
import torch

from plugins.chat.precision import half, precision


@pytest.mark.parametrize(
    ("bfloat16", "float16", "expected"), [(True, False, torch.bfloat16), (False, True, torch.float16), (False, False, torch.float32)]
)
def test_a_gpu_without_bfloat16_takes_float16_unless_the_model_outgrows_it(bfloat16: bool, float16: bool, expected: torch.dtype) -> None:
    assert half(bfloat16=bfloat16, float16=float16) == expected


@pytest.mark.alone
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
