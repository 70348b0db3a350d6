"""Channels that events name and discord.py does not know: archived threads, and chats with one person. Who asks: `gateway.py`."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any

import aiohttp
import discord
import structlog

MOST_KNOWN = 2_000
"""Channels that are remembered: those that were named last."""

MOST_WAITING = 500
"""Events that wait for an answer at once: a minute and a half of all calls that are no posts, if each is of another channel."""

REFUSED = 60.0
"""Seconds for which a channel that Discord does not show is not asked for again: too many refusals close its door for an hour."""

log = structlog.get_logger(__name__)


class Whereabouts:
    """Asks for each channel once, however many events name it."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._known: OrderedDict[int, tuple[Any, float]] = OrderedDict()
        self._asking: dict[int, asyncio.Task[Any]] = {}
        self._waiting = 0

    def alone(self, channel: int, person: discord.User) -> None:
        """Somebody wrote to the bot there, alone with it."""
        self._remember(channel, person)

    def met(self, channel: int) -> discord.User | None:
        """Whom the bot is alone with there, if they wrote something lately."""
        found, _ = self._known.get(channel, (None, 0.0))
        return found if isinstance(found, discord.User) else None

    async def partner(self, channel: int) -> discord.User | None:
        """Whom the bot is alone with there; None where Discord does not say."""
        found = await self._found(channel)
        return found if isinstance(found, discord.User) else None

    async def channel(self, id: int) -> Any:
        """A channel or thread of a guild; None where Discord does not show it, or too many events wait already."""
        found = await self._found(id)
        return found if isinstance(found, discord.abc.GuildChannel | discord.Thread) else None

    async def _found(self, channel: int) -> Any:
        found, until = self._known.get(channel, (None, 0.0))
        if found is not None or time.monotonic() < until:
            self._known.move_to_end(channel)
            return found
        if self._waiting >= MOST_WAITING:
            log.warning("an event of a channel that nobody knows is let go of: too many wait", channel=str(channel))
            return None
        self._waiting += 1
        try:
            return await asyncio.shield(self._asked(channel))
        finally:
            self._waiting -= 1

    def _asked(self, channel: int) -> asyncio.Task[Any]:
        if (asking := self._asking.get(channel)) is None:
            asking = self._asking[channel] = asyncio.create_task(self._fetched(channel))
            asking.add_done_callback(lambda _: self._asking.pop(channel))
        return asking

    async def _fetched(self, channel: int) -> Any:
        try:
            found: Any = await self._client.fetch_channel(channel)
        except discord.DiscordException:
            found = None
        except (aiohttp.ClientError, OSError) as error:
            log.warning("a channel could not be asked for", channel=str(channel), fault=str(error) or type(error).__name__)
            return None
        found = found.recipient if isinstance(found, discord.DMChannel) else found
        self._remember(channel, found)
        return found

    def _remember(self, channel: int, found: Any) -> None:
        self._known[channel] = found, time.monotonic() + REFUSED
        self._known.move_to_end(channel)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
