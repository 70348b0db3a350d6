"""The connector of Discord: receives through `gateway.py`, and decides by which of Discord's ways a post goes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import discord
import structlog
from discord.http import handle_message_parameters

from bot.connector import Deliver, Limits, Need, Offer, Post
from bot.connectors.discord import files, threads
from bot.connectors.discord.access import BUSY, NO_CONTENT, REJECTED, Access, application
from bot.connectors.discord.calls import spaced, turns
from bot.connectors.discord.forms import meant, modal
from bot.connectors.discord.gateway import Gateway
from bot.connectors.discord.interactions import BUTTON, COMMAND, UNSEEN, Via
from bot.connectors.discord.limits import ASIDE, TEXT, limits
from bot.connectors.discord.listing import registered
from bot.connectors.discord.outgoing import changed, channel_of, flags, new, replied, short, told, where
from bot.connectors.discord.rights import withheld
from bot.connectors.discord.surroundings import Kind, Surroundings
from bot.errors import ConnectorError, MessageGone, NotAllowed
from bot.forms import Choice, Form
from bot.messages import Address, Attachment, Clicked, Message
from bot.spacing import Spacing
from bot.translation import Translation, later, translated

TOKEN_LIFE = 14.5 * 60
"""Seconds for which an interaction can be answered by its token: fifteen minutes, and a little for the way."""

NO_FILES = later(
    "(I may not send files here. An admin allows that in the settings of this channel, Permissions, for my role: Attach Files.)"
)

log = structlog.get_logger(__name__)


class DiscordConnector:
    """Speaks to Discord as the bot of the token.

    Of several routers one receives and the others stand by, unless each has shards of its own.
    """

    name = "discord"
    picks = True

    def __init__(self, access: Access, aside: Spacing | None = None, language: Callable[[str], Translation] = Translation) -> None:
        """`aside` is how often what is no post may be called, `language` what texts are in one that Discord names."""
        self._access, self._language = access, language
        self._aside = aside or turns(access)
        self._logging_in = asyncio.Lock()
        self._gateway: Gateway | None = None
        self._rest: discord.Client | None = None
        self._open: dict[str, asyncio.Event] = {}
        self._surroundings = Surroundings(self._client, self._guild)
        self.single = not access.shard_ids

    def limits(self, to: Address) -> Limits:
        """Those of the guild, whose boosts allow larger files."""
        return limits(self._access, None if to.direct else self._guild(int(to.server)))

    async def run(self, deliver: Deliver) -> None:
        """Receives until cancelled. Raises ConnectorError when the token is wrong."""
        self._access.point()
        await self._aside.turn()
        me = await application(self._access)
        if not me.reads_content:
            log.warning(NO_CONTENT)
        await self._client()
        gateway = self._gateway = Gateway(self._access, me.reads_content, deliver, self._acknowledged, self._language)
        spaced(gateway, self._aside)
        try:
            await gateway.start(self._access.token)
        except discord.LoginFailure as error:
            raise ConnectorError(REJECTED) from error
        except discord.PrivilegedIntentsRequired as error:
            raise ConnectorError(NO_CONTENT, retry_after=60.0) from error
        except (discord.HTTPException, discord.GatewayNotFound, discord.ConnectionClosed, OSError) as error:
            raise ConnectorError(f"Discord's gateway: {error}", retry_after=BUSY) from error
        finally:
            await gateway.close()

    def trouble(self) -> str:
        """ "" while the gateway brings events."""
        return "" if self._gateway is not None and self._gateway.is_ready() else "not connected to Discord's gateway yet"

    async def publish(self, server: str, offers: Sequence[Offer]) -> None:
        """Registers them for a guild, or for direct messages."""
        client = await self._client()
        with told(f"the commands of server {server}" if server else "the commands of direct messages"):
            await registered(client, server, offers)

    def absent(self, servers: Sequence[str]) -> list[str]:
        """Those of these guilds that the bot is not in, as far as the gateway knows."""
        return self._gateway.absent(servers) if self._gateway is not None else []

    async def open_thread(self, message: Message, title: str) -> str:
        """The thread's id, also where the message has begun it before."""
        return await threads.opened(await self._client(), message, title)

    async def sign(self, to: Address) -> None:
        """Discord shows for ten seconds that somebody types; nothing where that would come later than the status line."""
        if self._aside.waiting > ASIDE:
            return
        http = (await self._client()).http
        with told(where(to)):
            await http.send_typing(channel_of(to))

    async def open_form(self, message: Message, form: Form) -> None:
        """As a modal, which is the answer to the click."""
        interaction = self._interaction(message)
        if interaction is not None and isinstance(message.trigger, Clicked):
            with told(where(message.address)):
                await interaction.response.send_modal(modal(form, message.trigger.button))

    async def known(self, to: Address, kind: Kind) -> Mapping[str, str]:
        """What the guild has; alone with somebody there is nothing of the kind."""
        return await self._surroundings.known(to, kind)

    async def search(self, to: Address, name: str) -> Mapping[str, str]:
        """The people of the guild whose names begin so."""
        return await self._surroundings.search(to, name)

    async def seen(self, message: Message, places: Collection[str]) -> Collection[str]:
        """What of the guild its sender may see."""
        return await self._surroundings.seen(message, places)

    async def placed(self, message: Message) -> Message:
        """With what somebody reacts to; what they are there Discord says by itself."""
        return await self._surroundings.placed(message)

    async def objection(self, to: Address, need: Need) -> str | None:
        """What a missing intent or permission keeps from the bot there. Raises ConnectorError."""
        if to.direct:
            return None
        await self._aside.turn()
        return withheld(need, self._surroundings.granted(to), reads_content=(await application(self._access)).reads_content)

    async def suggest(self, message: Message, choices: Sequence[Choice]) -> None:
        """What Discord shows below the option."""
        interaction = self._interaction(message)
        if interaction is not None:
            data: Mapping[str, Any] = interaction.data or {}
            kind = next((one["type"] for one in data.get("options", []) if one.get("focused")), 3)
            with told(where(message.address)):
                await interaction.response.autocomplete(meant(choices, kind))

    def _guild(self, server: int) -> discord.Guild | None:
        return self._gateway.get_guild(server) if self._gateway is not None else None

    def _interaction(self, message: Message) -> discord.Interaction[Any] | None:
        return self._gateway.answering(message.via) if self._gateway is not None else None

    async def close(self) -> None:
        """Ends the connections for calls."""
        if self._rest is not None:
            await self._rest.close()
        self._rest = None

    def _acknowledged(self, via: str, done: bool) -> None:
        """Nothing can be said to an interaction before it is acknowledged."""
        if done:
            self._open.pop(via, asyncio.Event()).set()
        else:
            self._open[via] = asyncio.Event()

    async def _via(self, post: Post) -> Via | None:
        """The interaction that the post can still answer."""
        found = Via.read(post.via)
        if found is None or time.time() - found.born > TOKEN_LIFE:
            return None
        if post.via in self._open:
            await self._open[post.via].wait()
        return found

    async def send(self, to: Address, post: Post, nonce: str) -> str:
        """To the interaction where it must be or can be, else to the channel; there the same nonce gives the same message."""
        via = await self._via(post)
        if via is not None and post.private:
            return await self._whisper(via, post)
        if via is not None and post.opening and via.kind == COMMAND:
            try:
                with told(where(to)):
                    return str((await (await self._webhook(via)).edit_message(ORIGINAL, **changed(post))).id)
            except MessageGone:  # somebody removed it, or it was never acknowledged
                log.info("a command is answered in its channel", place=where(to))
        return await self._say(to, post, nonce)

    async def _say(self, to: Address, post: Post, nonce: str) -> str:
        answers = post.reply_to not in ("", to.thread) and not post.via.startswith(COMMAND)  # a command is no message to reply to
        try:
            return await self._sent(to, post, nonce, answers)
        except NotAllowed:
            if not post.uploads:
                raise
            words = f"{post.text}\n\n{translated(NO_FILES)}".strip()[:TEXT]  # which may be allowed where files are not
            return await self._sent(to, replace(post, uploads=(), text=words), f"{nonce}.", answers)

    async def _sent(self, to: Address, post: Post, nonce: str, answers: bool) -> str:
        """By discord.py's lower layer: the upper one builds of each answer a message, and of the message that this replies to another."""
        channel, http = channel_of(to), (await self._client()).http
        reference: dict[str, Any] = {"message_reference": replied(channel, post.reply_to), "mention_author": False} if answers else {}
        with told(where(to)), handle_message_parameters(**new(post), **flags(post), nonce=short(nonce), **reference) as made:
            return str((await http.send_message(channel, params=made))["id"])

    async def _whisper(self, via: Via, post: Post) -> str:
        """What one person alone sees. The line that says that the bot is thinking is seen by all, so it goes first."""
        webhook = await self._webhook(via)
        if post.opening and via.kind == COMMAND:
            await self._forget(webhook, ORIGINAL)
        with told("a private answer"):
            sent = await webhook.send(**{key: value for key, value in new(post).items() if value is not None}, ephemeral=True, wait=True)
        return f"{UNSEEN}{sent.id}"

    async def edit(self, to: Address, message: str, post: Post) -> None:
        """Through the interaction while it lasts, because that counts for no limit, else in the channel."""
        via = await self._via(post)
        id = int(message.removeprefix(UNSEEN))
        pressed = via is not None and via.kind == BUTTON and message == post.reply_to
        if via is not None and (via.kind == COMMAND or pressed or message.startswith(UNSEEN)):
            try:
                with told(where(to)):
                    await (await self._webhook(via)).edit_message(ORIGINAL if pressed else id, **changed(post))
                return
            except MessageGone:  # it is one of the channel
                if message.startswith(UNSEEN):
                    raise
        channel, http = channel_of(to), (await self._client()).http
        with told(where(to)), handle_message_parameters(**changed(post)) as made:
            await http.edit_message(channel, id, params=made)

    async def delete(self, to: Address, message: str) -> None:
        """Takes a message away, or the line that says that the bot is thinking."""
        if (via := Via.read(message)) is not None:
            if via.kind == COMMAND and await self._via(Post("", via=message)) is not None:
                await self._forget(await self._webhook(via), ORIGINAL)
        elif not message.startswith(UNSEEN):
            try:
                http = (await self._client()).http
                with told(where(to)):
                    await http.delete_message(channel_of(to), int(message))
            except MessageGone:
                return

    async def _forget(self, webhook: discord.Webhook, message: int) -> None:
        try:
            with told("an answer that is withdrawn"):
                await webhook.delete_message(message)
        except MessageGone:
            return

    async def leave(self, server: str) -> None:
        """Leaves a guild."""
        client = await self._client()
        with told(f"server {server}"):
            await client.http.leave_guild(int(server))

    async def read(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The attachment's bytes, in pieces."""
        async for piece in files.read(self._access, self._client, attachment):
            yield piece

    async def _client(self) -> discord.Client:
        """For calls alone. It outlives the gateway, and needs none: a router that stands by answers what it takes over."""
        if self._rest is not None:
            return self._rest
        async with self._logging_in:
            if self._rest is None:
                self._access.point()
                rest = discord.Client(intents=discord.Intents(guilds=True), proxy=self._access.proxy, max_messages=None)
                spaced(rest, self._aside)
                with told("logging in"):
                    await rest.login(self._access.token)
                self._rest = rest
            return self._rest

    async def _webhook(self, via: Via) -> discord.Webhook:
        client = await self._client()
        data = {"id": client.application_id or 0, "type": discord.WebhookType.application.value, "token": via.token}
        return discord.Webhook.from_state(data=data, state=client._connection)  # type: ignore[arg-type]  # as discord.py's follow-ups


ORIGINAL = cast("Any", "@original")
"""The first answer to an interaction: Discord knows it by this name."""
