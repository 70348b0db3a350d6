"""The line that is typed on while other things happen."""

from __future__ import annotations

import asyncio

import pytest

from bot.cli.prompt import Prompt


@pytest.mark.parametrize("shown", [False, True])
async def test_an_input_that_was_closed_before_has_ended(monkeypatch: pytest.MonkeyPatch, shown: bool) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert await asyncio.wait_for(Prompt("> ", shown).line(), 10.0) is None
