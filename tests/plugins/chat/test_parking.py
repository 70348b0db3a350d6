"""What was begun goes on after the weights went to the host and came back. The host stands for the device here."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.chat.engine import Engine
from tests.plugins.chat.arrivals import Arrivals, Request, alone, generate


@pytest.mark.parametrize("steps", [1, 6], ids=["while it is read", "while it is written"])
def test_what_was_begun_goes_on_where_it_was(engine: Engine, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(generate("word " * 300 if steps == 1 else "What is this?"))
    engine.run(Arrivals(request, ends=steps))
    assert not request.results
    shown, calls = list(request.partials), 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    engine.park()
    engine.unpark()
    hook = engine.model.register_forward_hook(count)
    engine.run(Arrivals(request))
    hook.remove()
    text, tokens = alone(engine, request)
    assert (request.answer.text, request.answer.tokens) == (text, tokens)
    assert request.partials[: len(shown)] == shown
    assert calls <= tokens + 1 - len(shown) + (1 if steps == 1 else 0)
    assert engine.memory.parked == pytest.approx(engine.memory.weights, rel=0.2)
