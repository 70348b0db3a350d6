"""The log: one shape for all, a reference on each line, and no secrets."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr
from structlog.contextvars import bound_contextvars

from bot.config import LogTable, load
from bot.log import HIDDEN, SIGNS, TOKENS, Redaction, secrets_of, setup


@pytest.fixture
def stream() -> io.StringIO:
    """Where the log goes."""
    return io.StringIO()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_what_where_and_in_which_process(stream: io.StringIO) -> None:
    setup(LogTable(format="json"), process="router", stream=stream)
    structlog.get_logger("bot.somewhere").info("it began", seconds=3)
    (line,) = lines(stream)
    assert {**line, "timestamp": ""} == {
        "message": "it began",
        "level": "info",
        "logger": "bot.somewhere",
        "process": "router",
        "seconds": 3,
        "timestamp": "",
    }


def test_the_reference_is_on_every_line_within_libraries_included(stream: io.StringIO) -> None:
    setup(LogTable(format="json"), stream=stream)
    with bound_contextvars(ref="ab12"):
        structlog.get_logger().info("ours")
        logging.getLogger("somebody").warning("theirs")
    structlog.get_logger().info("later")
    assert [line.get("ref") for line in lines(stream)] == ["ab12", "ab12", None]


def test_the_level_holds(stream: io.StringIO) -> None:
    setup(LogTable(format="json", level="warning"), stream=stream)
    structlog.get_logger().info("unimportant")
    structlog.get_logger().warning("important")
    assert [line["message"] for line in lines(stream)] == ["important"]


def test_libraries_are_quiet_unless_something_is_wrong(stream: io.StringIO) -> None:
    setup(LogTable(format="json", level="debug"), stream=stream)
    logging.getLogger("httpx").info("GET /")
    logging.getLogger("httpx").warning("odd")
    assert [line["message"] for line in lines(stream)] == ["odd"]


def test_a_traceback_is_part_of_its_line(stream: io.StringIO) -> None:
    setup(LogTable(format="json"), ["hunter22"], stream=stream)
    try:
        raise ValueError("hunter22")
    except ValueError:
        structlog.get_logger().exception("it failed")
    (line,) = lines(stream)
    assert line["exception"].endswith(f"ValueError: {HIDDEN}")


def test_people_get_lines_without_braces(stream: io.StringIO) -> None:
    setup(LogTable(format="console"), ["hunter22"], stream=stream)
    structlog.get_logger().info("it began", password="hunter22")
    assert "it began" in stream.getvalue()
    assert f"password={HIDDEN}" in stream.getvalue()


def test_no_terminal_means_json(stream: io.StringIO) -> None:
    setup(LogTable(format="auto"), stream=stream)
    structlog.get_logger().info("it began")
    assert lines(stream)[0]["message"] == "it began"


@pytest.mark.parametrize(
    "secret",
    [
        "MTA5ODc2NTQzMjEwOTg3NjU0.GhIjKl.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789ab",
        "123456789:AAABBBCCCDDDEEEFFFGGGHHHIIIJJJKKKLL",
        "hf_abcdefghijklmnopqrstuvwxyz",
    ],
)
def test_what_looks_like_a_token_is_hidden(secret: str) -> None:
    assert Redaction()(f"it was {secret}, really") == f"it was {HIDDEN}, really"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://api.telegram.org/bot123456789:AAABBBCCCDDDEEEFFFGGGHHHIIIJJJKKKLL/getMe", f"https://api.telegram.org/bot{HIDDEN}/getMe"),
        ("https://discord.com/api/webhooks/123/abc-DEF_g", f"https://discord.com/api/webhooks/{HIDDEN}"),
        ("Authorization: Bearer abcdefgh.ijkl", f"Authorization: Bearer {HIDDEN}"),
        ("redis://user:pass word@host".replace(" ", ""), f"redis://{HIDDEN}@host"),
        ("GET /enter?token=a_b-c HTTP/1.1", f"GET /enter?token={HIDDEN} HTTP/1.1"),
    ],
)
def test_what_surrounds_a_secret_stays(text: str, shown: str) -> None:
    assert Redaction()(text) == shown


@pytest.mark.parametrize("text", ["1.2.3", "bot/router/gate.py:12", "12:30:45", "a1b2c3d4e5f6", "2026-01-01T00:00:00Z", "x==1.0.0"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Redaction()(text) == text


@given(st.from_regex(TOKENS))
def test_what_looks_like_a_token_has_a_sign_of_one(text: str) -> None:
    assert SIGNS.search(text)


def test_a_secret_that_json_writes_differently_is_hidden_too(stream: io.StringIO) -> None:
    setup(LogTable(format="json"), ['pä"ss\\word'], stream=stream)
    structlog.get_logger().info('pä"ss\\word', ensure="no")
    assert lines(stream)[0]["message"] == HIDDEN


def test_very_short_secrets_do_not_hide_the_log() -> None:
    assert Redaction(["a"])("a cat sat") == "a cat sat"


def test_every_secret_of_the_configuration_is_known(tmp_path: Path) -> None:
    class Config(BaseModel):
        tokens: dict[str, list[SecretStr]]

    path = tmp_path / "bot.toml"
    path.write_text('[redis]\nurl = "redis://me:hunter22@host"\n[models]\ntoken = "abcdef"')
    found = secrets_of(load(path), Config(tokens={"one": [SecretStr("deep")]}))
    assert set(found) == {"redis://me:hunter22@host", "hunter22", "abcdef", "deep"}
