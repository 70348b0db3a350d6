"""What a guild has: its channels, with the threads that are open, its roles and people. What somebody picks of it: `resolved.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import discord
from discord.http import Route

from bot.connectors.discord.incoming import SOMEBODY, person, quote
from bot.connectors.discord.outgoing import channel_of, told, where
from bot.connectors.discord.resolved import names
from bot.messages import Address, Message, Reacted

TALKS = (
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
)
"""Where something can be said."""

MOST_FOUND = 20
"""People that a search names."""

Kind = Literal["channel", "role", "person"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Guilds as the gateway tells them, else asked for by `rest`. Nobody is told who the people of a guild are. Raises ConnectorError."""

    rest: Callable[[], Awaitable[discord.Client]]
    guild: Callable[[int], discord.Guild | None]

    async def known(self, to: Address, kind: Kind) -> Mapping[str, str]:
        """What the guild has, names by id; alone with somebody there is nothing of the kind."""
        if to.direct or kind == "person":
            return {}
        async with self._asking(to) as guild:
            if kind == "role":
                return {str(role.id): role.name for role in guild.roles}
            channels, threads = await self._there(guild)
            places = {str(one.id): one.name for one in channels if one.type in TALKS}
            return places | {_place(one): one.name for one in threads}

    async def search(self, to: Address, name: str) -> Mapping[str, str]:
        """Those whose name or nickname begins so. Somebody has several names: the one that was said goes before what others see."""
        if to.direct or not name:
            return {}
        with told(f"server {to.server}"):
            client, asked = await self.rest(), {"query": name, "limit": MOST_FOUND}
            route = Route("GET", "/guilds/{guild_id}/members/search", guild_id=int(to.server))
            found = cast("list[Mapping[str, Any]]", await client.http.request(route, params=asked))
        theirs = {str(one["user"]["id"]): names(one["user"], one) for one in found}
        return {id: next((one for one in these if one.casefold() == name.casefold()), these[0]) for id, these in theirs.items()}

    async def seen(self, message: Message, places: Collection[str]) -> Collection[str]:
        """What of the guild the sender may see, by the roles that they have now: the gateway does not tell of changes.

        Who runs the bot, from the dashboard, is nobody there and may see all.
        """
        person, to = message.sender.id, message.address
        if to.direct or not places or not person.isdecimal():
            return places
        async with self._asking(to) as guild:
            try:
                member = await guild.fetch_member(int(person))
            except discord.NotFound:
                return ()
            channels, threads = await self._there(guild)
            may = {one.id: one.permissions_for(member) for one in channels}
            shown = [one for one in threads if _place(one) in places and await _shown(one, may.get(one.parent_id), member)]
        return [*(str(id) for id, theirs in may.items() if theirs.view_channel), *map(_place, shown)]

    async def placed(self, message: Message) -> Message:
        """With what a reaction is on: Discord names it, and does not show it, nor who it is that is alone with the bot."""
        on, here = message.reply_to, message.address
        if not isinstance(message.trigger, Reacted) or on is None or on.parts:
            return message
        guild = None if here.direct else self.guild(int(here.server))
        channel: Any = guild.get_channel_or_thread(channel_of(here)) if guild else None
        if channel is not None and not channel.permissions_for(channel.guild.me).read_message_history:
            return message  # too many calls that are refused close Discord's door for an hour
        with told(where(here)):
            channel = channel or (await self.rest()).get_partial_messageable(channel_of(here))
            sender = message.sender
            if here.direct and sender.name == SOMEBODY:
                sender = person(await (await self.rest()).fetch_user(int(sender.id)))
            return replace(message, sender=sender, reply_to=quote(await channel.fetch_message(int(on.id))))

    def granted(self, to: Address) -> discord.Permissions | None:
        """What the bot may do in a channel, as the gateway knows it; None where it does not."""
        guild = self.guild(int(to.server))
        channel = guild.get_channel(int(to.channel)) if guild else None
        return channel.permissions_for(channel.guild.me) if channel else None

    @asynccontextmanager
    async def _asking(self, to: Address) -> AsyncIterator[discord.Guild]:
        with told(f"server {to.server}"):
            yield self.guild(int(to.server)) or await (await self.rest()).fetch_guild(int(to.server), with_counts=False)

    async def _there(self, guild: discord.Guild) -> tuple[Sequence[discord.abc.GuildChannel], Sequence[discord.Thread]]:
        if self.guild(guild.id) is guild:
            return guild.channels, guild.threads
        return await guild.fetch_channels(), await guild.active_threads()


async def _shown(thread: discord.Thread, may: discord.Permissions | None, member: discord.Member) -> bool:
    """Whether somebody may see a thread who may do this in its channel: a private one only if they were let in, or look after threads."""
    if may is None or not may.view_channel:
        return False
    return not thread.is_private() or may.manage_threads or await _within(thread, member.id)


async def _within(thread: discord.Thread, person: int) -> bool:
    """Whether somebody was let into a private thread."""
    try:
        await thread.fetch_member(person)
    except discord.NotFound:
        return False
    return True


def _place(thread: discord.Thread) -> str:
    return Address("discord", "", str(thread.parent_id), str(thread.id)).place
