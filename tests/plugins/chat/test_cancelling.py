"""A cancelled answer frees the model: how many steps it still takes, counted, whether it is being read or written."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.chat.engine import STRIDE, Engine
from tests.plugins.chat.arrivals import Arrivals, Request, generate


@pytest.mark.parametrize(
    ("question", "cancelled_in"),
    [("word " * (STRIDE["cpu"] * 3), 2), ("What is this?", 1), ("What is this?", 5)],
    ids=["while its prompt is read", "in the first step", "while it is written"],
)
def test_the_step_in_which_it_is_cancelled_is_the_last(engine: Engine, question: str, cancelled_in: int) -> None:
    request, steps = Request(generate(question, max_tokens=100)), 0

    def count(*_: Any) -> None:
        nonlocal steps
        steps += 1
        request.cancel = steps == cancelled_in

    hook = engine.model.register_forward_hook(count)
    try:
        engine.run(Arrivals(request))
    finally:
        hook.remove()
    assert (steps, request.results) == (cancelled_in, [])
