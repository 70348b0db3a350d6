"""How Discord is reached, and what the bot's application may do there. What is said over it: `gateway.py`, `outgoing.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import discord
import httpx
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.errors import ConnectorError

if TYPE_CHECKING:
    from bot.tables import DiscordTable

CONTENT = 1 << 18 | 1 << 19
"""The flags of an application that may read what is not said to it: granted by review, or switched on for a small bot."""

BUSY = 2.0
"""Seconds before another try when Discord does not say how long to wait."""

REJECTED = (
    "Discord does not know this token. In the developer portal (https://discord.com/developers/applications) open the application, "
    "then Bot, Reset Token, and put the new one into `token` under [connectors.discord]"
)

NO_CONTENT = (
    "the message content intent is off, so only mentions, replies, direct messages and commands are read: to change that, open the "
    "application in the developer portal (https://discord.com/developers/applications), then Bot, and switch Message Content Intent on"
)


@dataclass(frozen=True, slots=True)
class Access:
    """The token, and where things are.

    `catch_up` in seconds is how far back history is read for what was missed, `patience` how late what is found may be to be answered.
    """

    token: str = field(repr=False)
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = "wss://gateway.discord.gg"
    cdn_url: str = "https://cdn.discordapp.com"
    proxy: str | None = field(default=None, repr=False)
    shards: int | None = None
    shard_ids: tuple[int, ...] = ()
    catch_up: float = 3600.0
    patience: float = 600.0

    @classmethod
    def of(cls, table: DiscordTable) -> Access:
        """What the operator configured."""
        token, proxy = table.token, table.proxy
        return cls(
            token.get_secret_value() if token else "",
            table.api_url,
            table.gateway_url,
            table.cdn_url,
            proxy.get_secret_value() if proxy else None,
            table.shards or None,
            table.shard_ids,
            table.catch_up,
            table.late_after,
        )

    @property
    def share(self) -> float:
        """The part of the bot's servers that is this router's, and so of the calls that Discord takes from the whole bot."""
        return len(self.shard_ids) / self.shards if self.shards and self.shard_ids else 1.0

    def point(self) -> None:
        """Points discord.py there; it knows one Discord for a whole process."""
        Route.BASE = self.api_url
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"{self.gateway_url}/")
        discord.Asset.BASE = self.cdn_url
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # we do not speak


SCOPES = ("bot", "applications.commands")

PERMISSIONS = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Create Public Threads": 1 << 35,
    "Send Messages in Threads": 1 << 38,
}
"""What the bot's role needs in a guild, and nothing else."""


def invitation(access: Access, application: str) -> str:
    """The link by which an admin lets the bot into a guild, with exactly these scopes and permissions."""
    query = urlencode({"client_id": application, "scope": " ".join(SCOPES), "permissions": sum(PERMISSIONS.values())})
    return f"{access.api_url.partition('/api')[0]}/oauth2/authorize?{query}"


@dataclass(frozen=True, slots=True)
class Application:
    """The bot as the developer portal knows it."""

    id: str
    name: str
    reads_content: bool


async def application(access: Access) -> Application:
    """Asks Discord who we are. Raises ConnectorError, for good when the token is wrong."""
    found = await get(access, "/applications/@me")
    return Application(found["id"], found["name"], bool(found.get("flags", 0) & CONTENT))


async def guilds(access: Access) -> list[tuple[str, list[str]]]:
    """The guilds that the bot is in, at most 200, and the permissions that its role lacks there."""
    found = await get(access, "/users/@me/guilds")
    return [(one["name"], _missing(int(one["permissions"]))) for one in found]


def _missing(granted: int) -> list[str]:
    return [] if granted & 1 << 3 else [name for name, bit in PERMISSIONS.items() if not granted & bit]  # administrators may do everything


async def get(access: Access, path: str) -> Any:
    """What the API answers. Raises ConnectorError in words that the operator understands."""
    try:
        async with httpx.AsyncClient(proxy=access.proxy, timeout=20.0) as client:
            answer = await client.get(f"{access.api_url}{path}", headers={"Authorization": f"Bot {access.token}"})
            if answer.status_code == 401:
                raise ConnectorError(REJECTED)
            answer.raise_for_status()
            return answer.json()
    except httpx.HTTPError as error:
        raise ConnectorError(f"Discord cannot be reached at {access.api_url}: {error or type(error).__name__}", retry_after=BUSY) from error
