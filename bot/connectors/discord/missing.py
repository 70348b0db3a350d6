"""Finds what was said to the bot while nobody was connected, in the history of channels. What becomes of it: the router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import aiohttp
import discord
import structlog

TALK = (discord.MessageType.default, discord.MessageType.reply)

MOST = 500
"""Messages of one channel that are looked at: more than an hour of most."""

PAUSES = (1.0, 5.0, 25.0)
"""Seconds before a channel is read again whose connection broke: most often the bot comes back just when a network does."""

log = structlog.get_logger(__name__)

Chat = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


async def missed(guild: discord.Guild, seconds: float, me: discord.ClientUser) -> AsyncIterator[discord.Message]:
    """The mentions of the bot and the replies to it of the last `seconds`, of each channel in its order; 0 for none.

    Discord says for each channel which message is its newest, so only those are read in which something was said since.
    """
    now = discord.utils.utcnow()
    begin = max(now - timedelta(seconds=seconds), guild.me.joined_at or now) if guild.me else now
    since = discord.utils.time_snowflake(begin)
    for channel in _busy(guild, since):
        try:
            async for message in _said(channel, since):
                if message.type in TALK and message.author.id != me.id and _speaks_to(message, me):
                    yield message
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            fault = str(error) or type(error).__name__
            log.warning("what was missed in a channel is not known", server=str(guild.id), channel=str(channel.id), fault=fault)


async def _said(channel: Chat, since: int) -> AsyncIterator[discord.Message]:
    """What was said there from this snowflake on; where the connection breaks, it goes on behind what was read."""
    read, before, pauses = 0, since - 1, iter(PAUSES)
    while True:
        try:
            async for message in channel.history(after=discord.Object(before), limit=MOST - read, oldest_first=True):
                read, before = read + 1, message.id
                yield message
            return
        except (aiohttp.ClientError, OSError):
            if (pause := next(pauses, None)) is None:
                raise
            await asyncio.sleep(pause)


def _busy(guild: discord.Guild, since: int) -> Iterator[Chat]:
    chats: list[Chat] = [*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads]
    for chat in chats:
        granted = chat.permissions_for(guild.me)
        said = chat.last_message_id is not None and chat.last_message_id >= since
        if said and granted.view_channel and granted.read_message_history:
            yield chat


def _speaks_to(message: discord.Message, me: discord.ClientUser) -> bool:
    """Whether it mentions the bot, or the role that Discord made for it, or replies to it; who else is meant, the router decides."""
    replied = message.reference.resolved if message.reference else None
    role = message.guild.self_role if message.guild else None
    mentioned = me.id in message.raw_mentions or (role is not None and role.id in message.raw_role_mentions)
    return mentioned or (isinstance(replied, discord.Message) and replied.author.id == me.id)
