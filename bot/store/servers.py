"""What each server's admins decided, and the log of it: which plugins are on, with which settings. Who may: `bot/router/choosing.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal, NamedTuple, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter
from redis.asyncio import Redis
from redis.exceptions import WatchError

from bot.choices import CORE, Deed, Level
from bot.house import Rules
from bot.permissions import Grant
from bot.quotas import Quota
from bot.store.connection import guarded
from bot.store.exchanging import answered
from bot.store.keys import Keys
from bot.store.tickets import StaleSettings, Write
from bot.tables import Talking

MOST_DEEDS = 1000
"""Entries of a server's audit log that are kept."""


def _phrased(entry: Any) -> Any:
    """Entries of before were words of one language."""
    return {**entry, "what": [{"text": entry["what"]}]} if isinstance(entry, dict) and isinstance(entry["what"], str) else entry


deed_json: TypeAdapter[Deed] = TypeAdapter(Annotated[Deed, BeforeValidator(_phrased)])


class Choices(BaseModel):
    """Choices for a server or one channel of it: plugins switched on or off, settings by plugin, whether status lines are unwanted, and
    where changes of admins are told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    plugins: Mapping[str, bool] = Field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    talking: Talking = Talking()
    quiet: bool | None = None
    log: str = ""
    grants: tuple[Grant, ...] = ()

    def of(self, plugin: str) -> dict[str, Any]:
        """What is chosen for a plugin, or for the core."""
        if plugin != CORE:
            return dict(self.settings.get(plugin, {}))
        others = {"quiet": self.quiet, "log": self.log or None}
        return self.talking.model_dump(mode="json", exclude_unset=True) | {name: one for name, one in others.items() if one is not None}

    def having(self, plugin: str, settings: Mapping[str, Any]) -> Self:
        """The same with exactly these settings for a plugin, or for the core."""
        if plugin != CORE:
            others = {name: chosen for name, chosen in self.settings.items() if name != plugin}
            return self.model_copy(update={"settings": others | ({plugin: settings} if settings else {})})
        talking = Talking.model_validate({name: value for name, value in settings.items() if name in Talking.model_fields})
        return self.model_copy(update={"talking": talking, "quiet": settings.get("quiet"), "log": settings.get("log", "")})

    def switched(self, plugin: str, on: bool | Literal["reset"]) -> Self:
        """The same with a plugin switched, or with no choice of that."""
        others = {name: chosen for name, chosen in self.plugins.items() if name != plugin}
        return self.model_copy(update={"plugins": others if on == "reset" else others | {plugin: on}})


class Server(BaseModel):
    """A server's choices. `version` grows with every change; tickets compare it, so a stale cache is found at once.

    `channels` has what differs in a channel, by its id, and in a thread, by the address's `topic`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 0
    choices: Choices = Choices()
    channels: Mapping[str, Choices] = Field(default_factory=dict)
    levels: Mapping[str, Level] = Field(default_factory=dict)
    """What roles and people are here, by this server's own word: `role:ID`, `person:ID`."""
    names: Mapping[str, str] = Field(default_factory=dict)
    """What people call them."""
    quotas: tuple[Quota, ...] = ()
    """How much its people may use, within what the operator allows."""
    left: bool = Field(default=False, exclude=True)
    """The bot is not there any more, and nothing is chosen."""
    admitted: bool = Field(default=False, exclude=True)
    """It was let in."""
    rules: Rules = Field(default=Rules(), exclude=True)
    """What holds in every server."""

    @property
    def stamp(self) -> int:
        """Changes with the choices and with the rules: both only grow, so their sum is the same only where both are."""
        return self.version + self.rules.version

    def layer(self, place: str) -> Choices:
        """What is chosen for a channel or thread, "" for the server."""
        return self.channels.get(place, Choices()) if place else self.choices

    def having(self, place: str, choices: Choices) -> Self:
        """The same with these choices for a channel or thread, "" for the server."""
        if not place:
            return self.model_copy(update={"choices": choices})
        others = {name: chosen for name, chosen in self.channels.items() if name != place}
        return self.model_copy(update={"channels": others | ({} if choices == Choices() else {place: choices})})


class Known(NamedTuple):
    """A server that something is kept of, and whether the bot has left it."""

    tenant: str
    left: bool


class Servers:
    """Reads and changes servers' choices."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def get(self, tenant: str) -> Server:
        """The server's choices; one that never chose anything is version 0 and empty."""
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hmget(self._keys.server(tenant), ["version", "json", "left", "admitted"])
            batch.hmget(self._keys.house(), ["version", "json"])
            (version, json, left, admitted), (since, house) = await batch.execute()
        server = Server() if json is None else Server.model_validate_json(json)
        rules = (Rules() if house is None else Rules.model_validate_json(house)).model_copy(update={"version": int(since or 0)})
        return server.model_copy(
            update={"version": int(version or 0), "left": left is not None, "admitted": admitted is not None, "rules": rules}
        )

    @guarded
    async def known(self, most: int) -> list[Known]:
        """Servers that something is kept of, by name, at most so many."""
        head = self._keys.server("")
        names = [name.decode() async for name in self._redis.scan_iter(f"{head}*", count=1000)][:most]
        async with self._redis.pipeline(transaction=False) as batch:
            for name in names:
                batch.hexists(name, "left")
            left = await batch.execute()
        return sorted(Known(name.removeprefix(head), bool(gone)) for name, gone in zip(names, left, strict=True))

    @guarded
    async def chosen(self, most: int) -> dict[str, Server]:
        """What servers have chosen, by name, of at most so many; without the rules that hold everywhere."""
        head = self._keys.server("")
        names = [name.decode() async for name in self._redis.scan_iter(f"{head}*", count=1000)][:most]
        async with self._redis.pipeline(transaction=False) as batch:
            for name in names:
                batch.hget(name, "json")
            found = cast("list[bytes | None]", await batch.execute())
        read = (Server() if one is None else Server.model_validate_json(one) for one in found)
        return dict(zip((name.removeprefix(head) for name in names), read, strict=True))

    @guarded
    async def version(self, tenant: str) -> int:
        """The `stamp` of what holds for the server, 0 where nothing was ever chosen."""
        commands = [("HGET", key, "version") for key in (self._keys.server(tenant), self._keys.house())]
        return sum(int(found or 0) for found in await answered(self._redis, commands))

    @guarded
    async def put(self, tenant: str, server: Server) -> None:
        """Replaces the choices and raises the version."""
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(self._keys.server(tenant), "json", _json(server))
            batch.hincrby(self._keys.server(tenant), "version", 1)
            await batch.execute()

    @guarded
    async def edit(self, tenant: str, edit: Callable[[Server], Server]) -> None:
        """Edits the newest choices until no change of somebody else comes between."""
        name = self._keys.server(tenant)
        while True:
            server = await self.get(tenant)
            async with self._redis.pipeline(transaction=True) as batch:
                await batch.watch(name)
                if int(await batch.hget(name, "version") or 0) != server.version:
                    continue
                batch.multi()  # type: ignore[no-untyped-call]  # redis-py left it bare
                batch.hset(name, "json", _json(edit(server)))
                batch.hincrby(name, "version", 1)
                with suppress(WatchError):
                    await batch.execute()
                    return

    def changing(self, tenant: str, server: Server, deed: Deed) -> list[Write]:
        """The writes that replace the choices of `server.version`, and say in the log who did it; a ticket's journal refuses them
        with StaleSettings when that is not the version any more.
        """
        return [["CHOOSE", self._keys.server(tenant), server.version, _json(server)], *self._noting(tenant, deed)]

    def _noting(self, tenant: str, deed: Deed) -> list[Write]:
        log = self._keys.audit(tenant)
        return [["LPUSH", log, deed_json.dump_json(deed)], ["LTRIM", log, 0, MOST_DEEDS - 1]]

    @guarded
    async def note(self, tenant: str, deed: Deed, alike: Callable[[Deed], bool], recent: int, writes: Sequence[Write] = ()) -> None:
        """Adds to the log what changed nothing, together with these writes, unless one of so many newest entries is alike: of several who
        note the same at once, one does.
        """
        log = self._keys.audit(tenant)
        while True:
            async with self._redis.pipeline(transaction=True) as batch:
                await batch.watch(log)
                found: Any = await batch.lrange(log, 0, recent - 1)
                if any(alike(deed_json.validate_json(one)) for one in found):
                    return
                batch.multi()  # type: ignore[no-untyped-call]  # redis-py left it bare
                for write in (*self._noting(tenant, deed), *writes):
                    batch.execute_command(*write)
                with suppress(WatchError):
                    await batch.execute()
                    return

    @guarded
    async def write(self, writes: Sequence[Write]) -> None:
        """Applies the writes of `changing` at once, where no ticket does. Raises StaleSettings, and has written nothing then."""
        chosen = [(str(write[1]), int(write[2]), write[3]) for write in writes if write[0] == "CHOOSE"]
        async with self._redis.pipeline(transaction=True) as batch:
            await batch.watch(*(key for key, _, _ in chosen))
            for key, version, _ in chosen:
                if int(await batch.hget(key, "version") or 0) != version:
                    raise StaleSettings
            batch.multi()  # type: ignore[no-untyped-call]  # redis-py left it bare
            for key, _, json in chosen:
                batch.hset(key, "json", json)
                batch.hincrby(key, "version", 1)
            for write in writes:
                if write[0] != "CHOOSE":
                    batch.execute_command(*write)
            try:
                await batch.execute()
            except WatchError:
                raise StaleSettings from None

    @guarded
    async def deeds(self, tenant: str, most: int) -> list[Deed]:
        """The newest entries of the audit log, newest first."""
        found: Any = await self._redis.lrange(self._keys.audit(tenant), 0, most - 1) if most > 0 else []
        return [deed_json.validate_json(one) for one in found]


def _json(server: Server) -> str:
    return server.model_dump_json(exclude_defaults=True, exclude={"version"})  # what an older router does not know, it refuses
