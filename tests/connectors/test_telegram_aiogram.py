"""A second library understands the Telegram of these tests, so it is not one that only our own bot can read."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.testing import wait_until
from tests.wire.telegram_chats import person
from tests.wire.telegram_server import TOKEN, Telegram

ECHO = Path(__file__).parents[1] / "data/aiogram_echo.py"


async def test_a_bot_written_with_aiogram_talks_to_it(telegram: Telegram, aiogram: Path) -> None:
    process = await asyncio.create_subprocess_exec(str(aiogram), str(ECHO), telegram.root, TOKEN)
    ann = person(11, "Ann")
    alone = telegram.chats.direct(ann)
    try:
        telegram.chats.say(alone, ann, "hello 😀")
        await wait_until(lambda: alone.said == ["you said hello 😀", "a picture"], 30)
        query = telegram.chats.click(alone, ann, alone.mine[0], "More")
        telegram.chats.say(alone, ann, voice=telegram.chats.voice(b"12345"))
        await wait_until(lambda: alone.said[2:] == ["5 bytes"], 30)
        await wait_until(lambda: query in telegram.methods.answered)
    finally:
        process.terminate()
        await process.wait()
