"""The files that people send, from where Discord keeps them. Those that the bot sends: `outgoing.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import httpx

from bot.connectors.discord.access import BUSY, Access
from bot.connectors.discord.outgoing import told
from bot.errors import ConnectorError, MessageGone
from bot.messages import Attachment

PIECE = 1 << 16

Login = Callable[[], Awaitable[discord.Client]]


async def read(access: Access, login: Login, attachment: Attachment) -> AsyncIterator[bytes]:
    """From the address that came with the message, or from a new one: Discord's addresses last a day."""
    place, _, url = attachment.id.partition(" ")
    async with httpx.AsyncClient(proxy=access.proxy, timeout=30.0, follow_redirects=False) as client:
        try:
            async with client.stream("GET", url) as answer:
                if answer.status_code == httpx.codes.OK:
                    async for piece in answer.aiter_bytes(PIECE):
                        yield piece
                    return
            async with client.stream("GET", await _fresh(login, place)) as answer:
                answer.raise_for_status()
                async for piece in answer.aiter_bytes(PIECE):
                    yield piece
        except httpx.HTTPError as error:
            raise ConnectorError(f"Discord's files: {error or type(error).__name__}", retry_after=BUSY) from error


async def _fresh(login: Login, place: str) -> str:
    channel, message, id = map(int, place.split("/"))
    with told(f"the files of message {message}"):
        found = await (await login()).get_partial_messageable(channel).fetch_message(message)
    for one in found.attachments:
        if one.id == id:
            return one.url
    raise MessageGone(f"the file {id} is no longer in message {message}")
