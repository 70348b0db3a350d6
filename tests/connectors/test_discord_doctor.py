"""What `hobnob doctor` and the invitation say of an application on Discord."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from bot import doctor
from bot.config import load
from bot.connectors.discord.access import PERMISSIONS
from tests.house import HOBNOB
from tests.wire.discord_server import TOKEN, Discord


def written(folder: Path, discord: Discord, token: str = TOKEN) -> Path:
    """A configuration that leads there."""
    path = folder / "bot.toml"
    path.write_text(f'data_dir = "{folder}"\n[connectors.discord]\ntoken = "{token}"\napi_url = "{discord.url}/api/v10"\n')
    return path


async def test_the_doctor_looks_at_token_intent_and_permissions(discord: Discord, tmp_path: Path) -> None:
    async def findings(token: str = TOKEN) -> list[tuple[str, str]]:
        config = load(written(tmp_path, discord, token))
        return [(one.state, one.found) for one in await asyncio.to_thread(lambda: list(doctor.discord(config)))]

    assert await findings() == [("ok", "Hobnob, in 1 servers")]
    discord.world.application["flags"], discord.rest.granted = 0, (1 << 53) - 1 & ~(1 << 15 | 1 << 3)
    assert (await findings())[1:] == [
        ("note", "the message content intent is off"),
        ("wrong", "in Lounge the bot's role lacks Attach Files"),
    ]
    assert await findings("wrong") == [("wrong", "the bot cannot connect")]


async def test_where_discord_does_not_answer_the_doctor_names_what_leads_round_a_block(discord: Discord, tmp_path: Path) -> None:
    path = written(tmp_path, discord)
    path.write_text(path.read_text().replace(discord.url, "http://127.0.0.1:1"))
    [one] = await asyncio.to_thread(lambda: list(doctor.discord(load(path))))
    assert one.remedy.startswith("Discord cannot be reached at http://127.0.0.1:1/api/v10")
    assert one.remedy.endswith("where Discord is blocked, name a `proxy` under [connectors.discord]")


async def test_the_invitation_asks_for_what_is_needed(discord: Discord, tmp_path: Path) -> None:
    command = [*HOBNOB, "discord", "invite", "--config", str(written(tmp_path, discord))]
    link = (await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)).stdout.strip()
    assert link.startswith(f"{discord.url}/oauth2/authorize?client_id={discord.world.bot['id']}&scope=bot+applications.commands&")
    assert link.endswith(f"permissions={sum(PERMISSIONS.values())}")
