"""What a guild has: its channels, with the threads that are open, and its roles. What somebody picks of it: `resolved.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import discord

from bot.messages import Address

TALKS = (
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
)
"""Where something can be said."""

Kind = Literal["channel", "role", "person"]


async def known(guild: discord.Guild | None, rest: discord.Client, server: int, kind: Kind) -> Mapping[str, str]:
    """Names by id; as the gateway tells them, else asked for. Nobody is told who the people of a guild are."""
    if kind == "person":
        return {}
    whole = guild or await rest.fetch_guild(server, with_counts=False)
    if kind == "role":
        return {str(role.id): role.name for role in whole.roles}
    if guild:
        return _places(guild.channels, guild.threads)
    return _places(await whole.fetch_channels(), await whole.active_threads())


def _places(channels: Iterable[discord.abc.GuildChannel], threads: Iterable[discord.Thread]) -> Mapping[str, str]:
    places = {str(one.id): one.name for one in channels if one.type in TALKS}
    return places | {Address("discord", "", str(one.parent_id), str(one.id)).place: one.name for one in threads}
