"""What the bot is for is asked once, where there is somebody to ask, and stands in the file from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.declaring import declared
from bot.config import load


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[models]\nuse = "public"\n'),
        ("# mine\n[web]\nport = 0\n", '# mine\n[web]\nport = 0\n\n[models]\nuse = "public"\n'),
        ('[models] # where\ndir = "here"\n[web]\nport = 0\n', '[models] # where\ndir = "here"\nuse = "public"\n[web]\nport = 0\n'),
    ],
)
def test_the_answer_is_written_down_beside_what_stands_there_and_not_asked_again(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "bot.toml"
    file.write_text(before, encoding="utf-8")
    answers = iter(["Public"])
    assert declared(file, lambda: next(answers)).models.use == "public"
    assert file.read_text(encoding="utf-8") == after
    assert declared(file, lambda: next(answers)).models.use == "public"


@pytest.mark.parametrize("closed", [False, True])
def test_without_a_terminal_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: bool) -> None:
    file = tmp_path / "bot.toml"
    if closed:
        monkeypatch.setattr("sys.stdin", None)
    file.write_text("", encoding="utf-8")
    assert declared(file).models.use is load(file).models.use is None
    assert file.read_text(encoding="utf-8") == ""
