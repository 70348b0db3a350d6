"""The bot as it is shipped, with the starter models, on Telegram: words and a voice note."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.testing import wait_until
from plugins.transcribe.choosing import NOTICES
from tests.connectors.test_telegram import CONFIG
from tests.house import House
from tests.wire.telegram_chats import person
from tests.wire.telegram_server import TOKEN, Telegram

JFK = Path(__file__).parents[1] / "data/audio/jfk.ogg"
PLUGINS = '\n[plugins.chat]\n[plugins.transcribe.defaults]\npolicy = "always"\n'
PATIENCE = 120.0
SPOKEN = "ask not what your country can do for you"


@pytest.mark.models
async def test_a_question_is_answered_and_recordings_become_words(telegram: Telegram, models_dir: Path, tmp_path: Path) -> None:
    made = House(tmp_path)
    top = f'data_dir = "{made.data}"\n[web]\nport = 0\n[models]\ndir = "{models_dir}"\n'
    made.config.write_text(top + CONFIG.format(token=TOKEN, url=telegram.root) + PLUGINS)
    ada = person(11, "Ada")
    alone, lounge = telegram.chats.direct(ada), telegram.chats.group(-1001, "Lounge")
    kitchen, attic = telegram.chats.group(-1002, "Kitchen"), telegram.chats.group(-1003, "Attic")
    for hours in (25, 20):  # while nobody received
        telegram.chats.say(attic, ada, voice=telegram.chats.voice(JFK.read_bytes(), 11), date=int(time.time()) - hours * 3600)
    with made.begin("run") as process:
        await wait_until(lambda: telegram.polled, PATIENCE)
        telegram.chats.say(alone, ada, "What is the capital of France?")
        telegram.chats.say(lounge, ada, voice=telegram.chats.voice(JFK.read_bytes(), 11))
        round_video = {**telegram.chats.file(JFK.with_suffix(".mp4").read_bytes()), "length": 240, "duration": 11}
        telegram.chats.say(kitchen, ada, video_note=round_video)
        await wait_until(lambda: all(any(SPOKEN in one for one in chat.said) for chat in (kitchen, lounge, attic)), PATIENCE)
        await wait_until(lambda: any("Paris" in one for one in alone.said), PATIENCE)
        process.terminate()
        await wait_until(lambda: process.poll() is not None, 60)
    for chat in (lounge, kitchen, attic):
        assert chat.said[0] == NOTICES["always"], chat.said
    assert sum(SPOKEN in one for one in attic.said) == 1, "what is older than a day is nobody's any more"
