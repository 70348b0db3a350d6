"""A scripted router and a bot's account on the Discord of the tests, for all tests of its connector by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.connectors.discord.access import Access
from bot.connectors.discord.connector import DiscordConnector
from bot.errors import StoreError
from bot.locales import Locales
from bot.membership import Joined, Present
from bot.messages import Message, Said
from bot.spacing import Spacing
from bot.testing import wait_until
from tests.wire.discord_payloads import Json
from tests.wire.discord_server import TOKEN, Discord


@dataclass
class Ear:
    """Takes what the connector delivers; `away` refuses that many first."""

    heard: list[Message] = field(default_factory=list)
    away: int = 0
    slow: float = 0.0
    joined: bool = False

    async def deliver(self, message: Message) -> None:
        if isinstance(message.trigger, Joined | Present) and not self.joined:
            return
        await asyncio.sleep(self.slow)
        if self.away:
            self.away -= 1
            raise StoreError("away")
        if not self._found_again(message):
            self.heard.append(message)

    def _found_again(self, message: Message) -> bool:
        """What was said just when the bot connected it may receive and find; the store knows it by its event."""
        same = [one for one in self.heard if one.event == message.event]
        return any(isinstance(one.trigger, Said) and one.trigger.found for one in [*same, message]) and bool(same)


def access(discord: Discord, token: str = TOKEN) -> Access:
    return Access(token, f"{discord.url}/api/v10", discord.gateway.url.rstrip("/"), discord.url)


@asynccontextmanager
async def connected(
    discord: Discord, ear: Ear, mine: Access | None = None, aside: Spacing | None = None
) -> AsyncIterator[DiscordConnector]:
    connector = DiscordConnector(mine or access(discord), aside, Locales().of)
    task = asyncio.create_task(connector.run(ear.deliver))
    await wait_until(lambda: discord.gateway.ready or task.done())
    try:
        yield connector
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await connector.close()


def general(discord: Discord) -> Json:
    [guild] = discord.world.guilds.values()
    channel: Json = guild["channels"][0]
    return channel
