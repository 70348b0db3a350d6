"""The whole bot as an operator runs it, on a strict Telegram: real processes, a real store, a model that needs no weights."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.testing import wait_until
from tests.wire.telegram_chats import person
from tests.wire.telegram_server import TOKEN, Telegram
from tests.wire.telegram_spec import faults

ECHO = Path(__file__).parents[1] / "data/plugins/echo"
ANN = person(11, "Ann")


class Bot:
    """Its processes, its platform and what it writes to its log."""

    def __init__(self, folder: Path, telegram: Telegram) -> None:
        self.telegram = telegram
        self.hold = folder / "hold"
        self._folder = folder
        self._config = folder / "bot.toml"
        self._config.write_text(
            f'data_dir = "{folder}/data"\n[web]\nport = 0\n[log]\nformat = "json"\n[plugins.echo]\npath = "{ECHO}"\n', encoding="utf-8"
        )

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """`hobnob run`, until it is told to stop."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("HOBNOB_")}
        where = {"HOBNOB_CONNECTORS__TELEGRAM__API_URL": self.telegram.root, "HOBNOB_CONNECTORS__TELEGRAM__TOKEN": TOKEN}
        more = {"HOBNOB_CONNECTORS__TELEGRAM__FILE_URL": f"{self.telegram.root}/file", "PARROT_HOLD": str(self.hold)}
        words = (sys.executable, "-m", "bot.cli", "run", "--config", str(self._config))
        with (self._folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *words, env={**ours, **where, **more}, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        try:
            assert process.stdout is not None
            assert (await process.stdout.readline()).startswith(b"Hobnob is ready"), self.log
            yield process
        finally:
            process.terminate()
            await process.wait()


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with Telegram().serving() as telegram:
        yield Bot(tmp_path, telegram)
    assert not faults(telegram)


async def test_a_question_is_answered_where_it_was_asked(bot: Bot) -> None:
    chats = bot.telegram.chats
    alone, forum = chats.direct(ANN), chats.group(-1001, "Lounge", forum=True)
    topic = chats.topic(forum, "Cats")
    async with bot.running():
        chats.say(alone, ANN, "one **two** three")
        asked = chats.say(forum, ANN, "@hobnob_bot well done", topic=topic)
        chats.say(forum, ANN, "only people")
        await wait_until(lambda: alone.said == ["one two three"] and forum.mine and "reply_markup" not in forum.mine[-1], 30)
        assert alone.mine[0]["entities"] == [{"type": "bold", "offset": 4, "length": 3}]
        [answer] = forum.mine
        assert (answer["text"], answer["message_thread_id"]) == ("@\u2060hobnob_bot well done", topic)
        assert answer["reply_to_message"]["message_id"] == asked["message_id"]
        chats.say(alone, ANN, "draw a cat")
        await wait_until(lambda: len(alone.mine) == 2, 30)
    assert alone.mine[1]["document"]
    assert TOKEN not in bot.log
    assert '"level": "error"' not in bot.log, bot.log
