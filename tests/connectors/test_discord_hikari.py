"""A second library understands the Discord of these tests, so it is not one that only our own bot can read."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.testing import wait_until
from tests.wire.discord_server import TOKEN, Discord, serving

ECHO = Path(__file__).parents[1] / "data/hikari_echo.py"


async def test_a_bot_written_with_hikari_talks_to_it(hikari: Path) -> None:
    async with serving(Discord()) as discord:
        guild = discord.world.guild("Lounge")
        channel, ann = guild["channels"][0], discord.world.user("Ann")
        process = await asyncio.create_subprocess_exec(str(hikari), str(ECHO), discord.url, TOKEN)
        try:
            await wait_until(lambda: discord.world.commands.get(guild["id"]), 30)
            await discord.send_file(channel, ann, "a.txt", b"12345", "text/plain", "hello 😀")
            await wait_until(lambda: discord.texts(channel) == ["you said hello 😀", "a picture", "5 bytes"], 30)
            asked = await discord.call(channel, ann, "ping")
            await wait_until(lambda: discord.texts(channel)[3:] == ["pong"], 30)
            pressed = await discord.press(discord.said(channel)[0], ann, "More")
            await wait_until(lambda: discord.texts(channel)[0] == "pressed", 30)
            assert asked.acknowledged
            assert pressed.acknowledged
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
