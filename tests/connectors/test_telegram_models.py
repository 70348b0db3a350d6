"""The bot as it is shipped, with the starter models, on Telegram: words and a voice note."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.testing import wait_until
from plugins.transcribe.front import NOTICES
from tests.connectors.test_telegram import CONFIG
from tests.house import House
from tests.wire.telegram_chats import person
from tests.wire.telegram_server import TOKEN, Telegram

JFK = Path(__file__).parents[1] / "data/audio/jfk.ogg"
SHIPPED = "\n[plugins.chat]\n[plugins.transcribe]\n"
PATIENCE = 120.0
SPOKEN = "ask not what your country can do for you"


@pytest.mark.models
async def test_a_question_is_answered_and_recordings_become_words(telegram: Telegram, models_dir: Path, tmp_path: Path) -> None:
    made = House(tmp_path)
    top = f'data_dir = "{made.data}"\n[web]\nport = 0\n[models]\ndir = "{models_dir}"\n'
    made.config.write_text(top + CONFIG.format(token=TOKEN, url=telegram.root) + SHIPPED)
    ada = person(11, "Ada")
    alone, lounge = telegram.chats.direct(ada), telegram.chats.group(-1001, "Lounge")
    kitchen = telegram.chats.group(-1002, "Kitchen")
    with made.begin("run") as process:
        await wait_until(lambda: telegram.polled, PATIENCE)
        telegram.chats.say(alone, ada, "What is the capital of France?")
        telegram.chats.say(lounge, ada, voice=telegram.chats.voice(JFK.read_bytes(), 11))
        round_video = {**telegram.chats.file(JFK.with_suffix(".mp4").read_bytes()), "length": 240, "duration": 11}
        telegram.chats.say(kitchen, ada, video_note=round_video)
        await wait_until(lambda: all(any(SPOKEN in one for one in chat.said) for chat in (kitchen, lounge)), PATIENCE)
        await wait_until(lambda: any("Paris" in one for one in alone.said), PATIENCE)
        process.terminate()
        await wait_until(lambda: process.poll() is not None, 60)
    for chat in (lounge, kitchen):
        assert chat.said[0] == NOTICES["always"], chat.said
