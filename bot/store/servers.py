"""What each server's admins decided: which plugins are on and with which settings. Who may decide is not checked here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from redis.asyncio import Redis

from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.tables import Talking


class Choices(BaseModel):
    """Choices for a server or one channel of it: plugins switched on or off, settings by plugin, and whether status lines are unwanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plugins: Mapping[str, bool] = Field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    talking: Talking = Talking()
    quiet: bool | None = None


class Server(BaseModel):
    """A server's choices. `version` grows with every change; tickets compare it, so a stale cache is found at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 0
    choices: Choices = Choices()
    channels: Mapping[str, Choices] = Field(default_factory=dict)


class Servers:
    """Reads and changes servers' choices."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def get(self, tenant: str) -> Server:
        """The server's choices; one that never chose anything is version 0 and empty."""
        version, json = await self._redis.hmget(self._keys.server(tenant), ["version", "json"])
        if version is None or json is None:
            return Server()
        return Server.model_validate_json(json).model_copy(update={"version": int(version)})

    @guarded
    async def version(self, tenant: str) -> int:
        """The version of the server's choices, 0 where there are none."""
        return int(await self._redis.hget(self._keys.server(tenant), "version") or 0)

    @guarded
    async def put(self, tenant: str, server: Server) -> None:
        """Replaces the choices and raises the version."""
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(
                self._keys.server(tenant), "json", server.model_dump_json(exclude_defaults=True)
            )  # what an older router does not know, it refuses
            batch.hincrby(self._keys.server(tenant), "version", 1)
            await batch.execute()
