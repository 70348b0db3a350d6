"""Receives from Discord's gateway and hands Messages over, those of one channel in their order. What they say: `incoming.py`."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import discord
import structlog

from bot.connector import Deliver
from bot.connectors.discord import incoming
from bot.connectors.discord.access import Access
from bot.connectors.discord.interactions import interacted
from bot.connectors.discord.missing import TALK, missed
from bot.connectors.discord.whereabouts import Whereabouts
from bot.errors import StoreError
from bot.messages import Message, Person
from bot.translation import Translation, reader, tr

PAUSE = 0.5
"""Seconds between tries while the store is away."""

FIRST = 2.5
"""Seconds from its arrival in which an interaction is acknowledged: three, less the way. Our clock may differ from Discord's."""

MOST_VERSIONS = 10_000
"""Edited messages whose newest version is remembered."""

NEW = 20 * 3600.0
"""Seconds for which a guild counts as one that has just let the bot in: less than the day for which the store remembers whom it greeted."""

READERS = 2
"""Guilds whose history is read at once: the calls are those that answers need too."""

log = structlog.get_logger(__name__)


def intents(reads_content: bool) -> discord.Intents:
    """What is asked of the gateway, and nothing else."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.messages = wanted.reactions = True
    wanted.message_content = reads_content
    return wanted


class Gateway(discord.AutoShardedClient):
    """One process's connections. `acknowledged` is told of each interaction: before it is handed over, and when Discord knows.

    What it says itself is in the `language` that Discord names: a person's choice may be in the store, which does not answer then.
    """

    def __init__(
        self,
        access: Access,
        reads_content: bool,
        deliver: Deliver,
        acknowledged: Callable[[str, bool], None],
        language: Callable[[str], Translation],
    ) -> None:
        super().__init__(
            intents=intents(reads_content),
            proxy=access.proxy,
            shard_count=access.shards,
            shard_ids=list(access.shard_ids) or None,  # type: ignore[arg-type]  # None is its default
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._deliver = deliver
        self._acknowledged, self._language = acknowledged, language
        self._lanes: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._versions: OrderedDict[int, str] = OrderedDict()
        self._answering: dict[str, discord.Interaction[Any]] = {}
        self._away = False
        self._whereabouts = Whereabouts(self)
        self._catch_up = access.catch_up
        self._reading = asyncio.Semaphore(READERS)
        for event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            self._connection.parsers[event] = self._of_others(self._connection.parsers[event])

    def _of_others(self, parse: Callable[[Any], None]) -> Callable[[Any], None]:
        """What the bot itself says comes back with every answer and every edit of one, and nobody here wants it: it is not even parsed."""

        def parsed(data: Any) -> None:
            if int(data.get("author", {}).get("id", 0)) != self._connection.self_id:
                parse(data)

        return parsed

    @property
    def me(self) -> discord.ClientUser:
        """The bot."""
        assert self.user is not None, "events come after the login"
        return self.user

    async def on_connect(self) -> None:
        """People may write to the bot alone from now on."""
        await self._hand_over(0, incoming.alone(self.me))

    async def on_ready(self) -> None:
        """All guilds are known, those too that Discord has lost for a while; others have shut the bot out, maybe while nobody listened."""
        await self._hand_over(0, incoming.present(self.me))

    def absent(self, servers: Sequence[str]) -> list[str]:
        """Those of these guilds that this process would hear of, and the bot is not in."""
        if not self.is_ready() or self.shard_count is None:
            return []
        shards = self.shard_ids or range(self.shard_count)
        return [one for one in servers if (int(one) >> 22) % self.shard_count in shards and self.get_guild(int(one)) is None]

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """One of those that the bot is in, at the start or after Discord had lost it: something may have been said there meanwhile."""
        await self._hand_over(0, incoming.let_in(self.me, guild) if _new(guild) else incoming.joined(self.me, guild))
        async with self._reading:
            async for message in missed(guild, self._catch_up, self.me):
                await self._hand_over(message.channel.id, incoming.said(message, self.me, _before(message), found=True))

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """One that has just let the bot in."""
        await self._hand_over(0, incoming.let_in(self.me, guild))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """One that has shut the bot out, or is no more."""
        await self._hand_over(0, incoming.left(self.me, guild.id))

    async def on_message(self, message: discord.Message) -> None:
        """Somebody said something; the bot itself is nobody."""
        me = self.me
        if message.author.id != me.id and message.type in TALK:
            if message.guild is None and isinstance(message.author, discord.User):
                self._whereabouts.alone(message.channel.id, message.author)
            await self._hand_over(message.channel.id, incoming.said(message, me))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Somebody changed what they said. Discord also tells when it adds the preview of a link: that changes no version."""
        message = payload.message
        before = self._versions.get(message.id, str(message.id))
        event = incoming.event_of(message)
        if message.author.id == self.me.id or message.type not in TALK or message.edited_at is None or event == before:
            return
        self._versions[message.id] = event
        if len(self._versions) > MOST_VERSIONS:
            self._versions.popitem(last=False)
        await self._hand_over(message.channel.id, incoming.said(message, self.me, before))

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Somebody took a message away; in a direct chat that is the other one, whom we need to know it by."""
        await self._gone((payload.message_id,), payload.channel_id, payload.guild_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """A moderator took many away."""
        await self._gone(sorted(payload.message_ids), payload.channel_id, payload.guild_id)

    async def _gone(self, messages: Sequence[int], channel: int, guild: int | None) -> None:
        if guild is None:
            other = await self._whereabouts.partner(channel)
            place = incoming.alone_with(other.id, channel) if other is not None else None
        else:
            found = await self._channel(channel)
            place = incoming.address(found, found.guild, self.me) if found is not None else None
        if place is None:
            return
        for id in messages:
            await self._hand_over(channel, incoming.deleted(id, place, self.me, self._versions.pop(id, str(id))))

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Somebody put an emoji on a message, which Discord names but does not show.

        Nothing that is said there waits for a reaction, nor in the thread that the message began, which has its number.
        """
        if payload.user_id == self.me.id:
            return
        if payload.guild_id is None:
            who = self._whereabouts.met(payload.channel_id)
            channel, place = None, incoming.alone_with(payload.user_id, payload.channel_id)
            sender = incoming.person(who) if who is not None else Person(str(payload.user_id), incoming.SOMEBODY)
        else:
            channel = await self._channel(payload.channel_id)
            if channel is None or payload.member is None:
                return
            place, sender = incoming.address(channel, channel.guild, payload.member), incoming.person(payload.member)
        await self._hand_over(-payload.message_id, incoming.reacted(payload, place, sender, channel, self.me))

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody used a command, a button or a form; it is acknowledged when its ticket is written."""
        message = interacted(interaction, self.me)
        if message is None:
            return
        self._acknowledged(message.via, False)
        self._answering[message.via] = interaction
        try:
            async with asyncio.timeout(FIRST):
                await self._hand_over(interaction.channel_id or 0, message)
            await _acknowledge(interaction)
        except TimeoutError:
            log.warning("an interaction could not be taken in time", arrival=message.event)
            with reader(self._language(message.language)):
                await _refuse(interaction)
        except (discord.HTTPException, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not self.is_closed():  # aiohttp's for a session that ended with the gateway meanwhile
                raise
            log.warning("an interaction could not be acknowledged", arrival=message.event, fault=str(error))
        finally:
            del self._answering[message.via]
            self._acknowledged(message.via, True)

    def answering(self, via: str) -> discord.Interaction[Any] | None:
        """The interaction, while it is handed over and nothing has been said to it."""
        found = self._answering.get(via)
        return found if found is not None and not found.response.is_done() else None

    async def on_error(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """A fault of ours in one event must not silence the others."""
        log.exception("an event of Discord was not understood", event_name=event)

    async def _channel(self, id: int) -> Any:
        """One of a guild."""
        return self.get_channel(id) or await self._whereabouts.channel(id)

    async def _hand_over(self, channel: int, message: Message) -> None:
        """Until it is taken: the gateway does not send it again."""
        lane = self._lanes.get(channel) or self._lanes.setdefault(channel, asyncio.Lock())
        async with lane:
            while True:
                try:
                    await self._deliver(message)
                except StoreError as error:
                    if not self._away:
                        log.warning("messages of Discord wait for the store", fault=str(error))
                    self._away = True
                    await asyncio.sleep(PAUSE)
                else:
                    self._away = False
                    return


def _new(guild: discord.Guild) -> bool:
    """Whether it has let the bot in lately, maybe while nobody was connected; who was greeted already is known by the event."""
    since = guild.me.joined_at if guild.me else None
    return since is not None and (discord.utils.utcnow() - since).total_seconds() < NEW


def _before(message: discord.Message) -> str:
    """The event of an edited message's first version, "" for one that was never edited."""
    return str(message.id) if message.edited_at else ""


async def _acknowledge(interaction: discord.Interaction[Any]) -> None:
    """Says that an answer comes, unless something was said already."""
    if interaction.response.is_done():
        return
    if interaction.type is discord.InteractionType.autocomplete:
        await interaction.response.autocomplete([])
    else:
        await interaction.response.defer(thinking=interaction.type is discord.InteractionType.application_command)


async def _refuse(interaction: discord.Interaction[Any]) -> None:
    if interaction.type is not discord.InteractionType.autocomplete and not interaction.response.is_done():
        await interaction.response.send_message(tr("I cannot take this right now. Please try again in a minute."), ephemeral=True)
