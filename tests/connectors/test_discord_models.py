"""The starter models answer on Discord: the whole product, a question, a voice message and a picture."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from bot.testing import wait_until
from tests.connectors.test_discord import CONFIG, Channel
from tests.house import House
from tests.wire.discord_server import TOKEN, Discord, serving

JFK = Path(__file__).parents[1] / "data/audio/jfk.ogg"

LOADED = 120.0
"""Seconds in which both models must have been loaded and have answered, on a machine that does other things too."""


@pytest.mark.models
async def test_a_question_is_answered_a_voice_message_comes_back_as_text_and_a_picture_shows_its_prompt(
    models_dir: Path, tmp_path: Path
) -> None:
    async with serving(Discord()) as discord:
        guild, ada = discord.world.guild("Lounge"), discord.world.user("Ada")
        config = CONFIG.format(token=TOKEN, url=discord.url, gateway=discord.gateway.url.rstrip("/"))
        plugins = '[plugins.chat]\n[plugins.imagine]\n[plugins.transcribe.defaults]\npolicy = "always"\n'
        house = House(tmp_path, config, f'[models]\ndir = "{models_dir}"\n{plugins}')
        chat = Channel(discord, guild["channels"][0], ada)
        with house.begin("run") as process:
            await wait_until(lambda: discord.gateway.ready and guild["id"] in discord.world.commands, LOADED)
            note = await discord.send_file(chat.channel, ada, "voice-message.ogg", JFK.read_bytes(), "audio/ogg", voice=True)
            await wait_until(lambda: "ask not what your country can do for you" in " ".join(chat.texts()).lower(), LOADED)
            assert discord.said(chat.channel)[1]["message_reference"]["message_id"] == note["id"]
            await chat.ask("What is the capital of France?")
            await wait_until(lambda: "Paris" in " ".join(chat.texts()) and "Cancel" not in chat.labels(), LOADED)
            await discord.call(chat.channel, ada, "imagine", prompt="a large red circle in the center on white", seed=1)
            await wait_until(lambda: "Delete" in chat.labels(), LOADED)
            picture = Image.open(io.BytesIO(chat.files()[-1])).convert("RGB")
            red, green, blue = picture.getpixel((64, 64))  # type: ignore[misc]  # of three colours
            assert red > 150 > max(green, blue) + 50
            assert min(picture.getpixel((3, 3))) > 200  # type: ignore[arg-type]
            process.terminate()
            await wait_until(lambda: process.poll() is not None, LOADED)
