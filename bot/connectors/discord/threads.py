"""Threads that a message begins. Which messages do: `bot/router/threads.py`."""

from __future__ import annotations

from typing import Literal

import discord

from bot.connectors.discord.outgoing import told, where
from bot.messages import Message

A_DAY: Literal[1440] = 1440
"""Minutes without a word after which a thread is out of the way."""

THREAD_THERE = 160004
"""The code for a message that has a thread already."""


async def opened(client: discord.Client, message: Message, title: str) -> str:
    """A thread has the id of the message that began it, so one that is there already is known. Raises ConnectorError."""
    with told(where(message.address)):
        try:
            at = int(message.address.channel), int(message.id)
            return str((await client.http.start_thread_with_message(*at, name=title[:100], auto_archive_duration=A_DAY))["id"])
        except discord.HTTPException as error:
            if error.code != THREAD_THERE:
                raise
            return message.id
