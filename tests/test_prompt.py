"""What is typed, where the input is closed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.cli.asking import ask
from bot.cli.prompt import Prompt
from bot.errors import UserError


@pytest.mark.parametrize("shown", [False, True])
async def test_an_input_that_was_closed_before_has_ended(monkeypatch: pytest.MonkeyPatch, shown: bool) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert await asyncio.wait_for(Prompt("> ", shown).line(), 10.0) is None


def test_a_question_out_of_a_closed_input_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.stdin", None)
    file = tmp_path / "bot.toml"
    file.write_text("")
    with pytest.raises(UserError, match="standard input, which is closed"):
        ask(file, "-", (), None, 10.0)
