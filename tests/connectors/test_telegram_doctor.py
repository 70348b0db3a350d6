"""What `hobnob doctor` finds of a bot on Telegram, and what it says to do."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot import doctor
from bot.config import load
from tests.wire.telegram_server import TOKEN, Telegram


async def found(telegram: Telegram, folder: Path, token: str = TOKEN) -> list[tuple[str, str, str]]:
    file = folder / "bot.toml"
    file.write_text(f'[connectors.telegram]\ntoken = "{token}"\napi_url = "{telegram.root}"\n')
    config = load(file)
    return [(one.state, one.found, one.remedy) for one in await asyncio.to_thread(lambda: list(doctor.telegram(config)))]


async def test_a_bot_that_is_well_is_named(telegram: Telegram, tmp_path: Path) -> None:
    assert await found(telegram, tmp_path) == [("ok", "@hobnob_bot", "")]


async def test_what_the_bot_cannot_do_comes_with_the_click_that_changes_it(telegram: Telegram, tmp_path: Path) -> None:
    telegram.bot |= {"can_read_all_group_messages": False, "can_join_groups": False}
    _, joins, hears = await found(telegram, tmp_path)
    assert joins == ("note", "nobody can add the bot to a group", "@BotFather: /setjoingroups, Enable")
    assert (hears[0], "privacy mode" in hears[1], "/setprivacy" in hears[2]) == ("note", True, True)


async def test_a_token_that_is_not_known_and_a_server_that_is_not_there_are_told_apart(telegram: Telegram, tmp_path: Path) -> None:
    [(state, what, todo)] = await found(telegram, tmp_path, "1:wrong")
    assert (state, what, "@BotFather" in todo, "proxy" in todo) == ("wrong", "the bot cannot connect", True, False)
    telegram.root = "http://127.0.0.1:1"
    [(state, _, todo)] = await found(telegram, tmp_path)
    assert (state, todo.startswith("Telegram does not answer")) == ("wrong", True)
    assert todo.endswith("where Telegram is blocked, name a `proxy` under [connectors.telegram]")


async def test_a_webhook_that_telegram_cannot_reach_is_told_in_its_words(telegram: Telegram, tmp_path: Path) -> None:
    telegram.webhook, telegram.unreached = {"url": "https://bot.example.org/telegram"}, "Connection refused"
    _, (state, what, todo) = await found(telegram, tmp_path)
    assert (state, what) == ("wrong", "it cannot bring updates: Connection refused")
    assert "webhook_port" in todo
