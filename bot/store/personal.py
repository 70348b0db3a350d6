"""Finds, gives back and deletes what is kept of a person, everywhere but in rooms (`rooms.py`). What there is: `contents.py`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from redis.asyncio import Redis

from bot.choices import Deed
from bot.store.connection import guarded
from bot.store.conversations import Conversations
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.plugindata import NO_BUTTON
from bot.store.schedules import outline
from bot.store.servers import Choices, Server, Servers, deed_json
from bot.store.tickets import Write
from bot.translation import later
from bot.turns import Turn

SOMEBODY = later("somebody")
"""Who did it, in a log from which a person was deleted: what was changed stays, because a server lives by it."""

Found = Callable[[str, str], Awaitable[list[Any]]]
Gone = Callable[[str, str], Awaitable[int]]


class PersonalData:
    """By pattern of keys, how what is kept of a person (connector, id) is found and how it is deleted."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._conversations = Conversations(redis, keys)
        self._house = HouseRules(redis, keys)
        self._servers = Servers(redis, keys)
        self.families: Mapping[str, tuple[Found, Gone]] = {
            "turns:*": (self._turns, self._forget_turns),
            "data:*": (self._data, self._forget_data),
            "button:*": (self._buttons, self._forget_buttons),
            "firings": (self._firings, self._forget_firings),
            "heard:*": (self._heard, self._forget_heard),
            "unremembered": (self._unremembered, self._forget_unremembered),
            "server:*": (self._granted, self._forget_granted),
            "house": (self._owner, self._forget_owner),
            "house-audit": (self._ruled, self._forget_ruled),
            "audit:*": (self._changed, self._forget_changed),
        }

    @guarded
    async def found(self, connector: str, person: str) -> dict[str, list[Any]]:
        """All that is kept, by pattern, as JSON."""
        return {pattern: await find(connector, person) for pattern, (find, _) in self.families.items()}

    @guarded
    async def forget(self, connector: str, person: str) -> dict[str, int]:
        """Deletes all of it; how much there was, by pattern."""
        return {pattern: await gone(connector, person) for pattern, (_, gone) in self.families.items()}

    async def _scan(self, pattern: str) -> AsyncIterator[str]:
        async for name in self._redis.scan_iter(pattern, count=1000):
            yield cast("bytes", name).decode()

    async def _conversations_of(self, connector: str) -> AsyncIterator[str]:
        head = self._keys.turns("")
        async for name in self._scan(f"{head}{connector}/*"):
            yield name.removeprefix(head)

    async def _turns(self, connector: str, person: str) -> list[Any]:
        found: list[Turn] = []
        async for conversation in self._conversations_of(connector):
            found += await self._conversations.turns(conversation, 1 << 40, person)
        return [json.loads(turn.model_dump_json(exclude={"offset"})) for turn in found]

    async def _forget_turns(self, connector: str, person: str) -> int:
        count = 0
        async for conversation in self._conversations_of(connector):
            turns = await self._conversations.turns(conversation, 1 << 40, person)
            if not turns and not await self._redis.hexists(self._keys.turns_meta(conversation), f"tokens:{person}"):
                continue  # of who never spoke there no summary says anything
            count += len(turns)
            async with self._redis.pipeline(transaction=True) as batch:
                for write in await self._conversations.resetting(conversation, person):
                    batch.execute_command(*write)
                batch.hdel(self._keys.turns_meta(conversation), "summary:", f"summary:{person}")  # it may repeat what they said
                await batch.execute()
        return count

    async def _data_names(self, connector: str, person: str) -> AsyncIterator[tuple[str, str]]:
        """(index, name): what plugins keep for the person, and for the places where the person is alone with the bot."""
        alone = f"{connector}/{person}"
        indexes = [self._keys.data_index("person", alone), self._keys.data_index("server", alone)]
        indexes += [index async for index in self._scan(self._keys.data_index("chat", f"{alone}/*"))]
        for index in indexes:
            for name in cast("set[bytes]", await self._redis.smembers(index)):
                yield index, name.decode()

    async def _data(self, connector: str, person: str) -> list[Any]:
        head = len(self._keys.data("", "", "", "").partition(":data:")[0]) + len(":data:")
        found: list[Any] = []
        async for _, name in self._data_names(connector, person):
            if (value := await self._redis.get(name)) is not None:
                found.append({"name": name[head:], "value": json.loads(value)})
        return found

    async def _forget_data(self, connector: str, person: str) -> int:
        count = 0
        async for index, name in self._data_names(connector, person):
            count += int(await self._redis.delete(name))
            await self._redis.delete(index)
        return count

    async def _button_names(self, connector: str, person: str) -> AsyncIterator[tuple[str, list[Any]]]:
        async for name in self._scan(self._keys.button("*")):
            found = await self._redis.get(name)
            content: list[Any] = json.loads(found) if found else []
            if content[5:] == [f"{connector}/{person}"]:
                yield name, content

    async def _buttons(self, connector: str, person: str) -> list[Any]:
        return [{"plugin": one[0], "action": one[1], "payload": one[2]} async for _, one in self._button_names(connector, person) if one[2]]

    async def _forget_buttons(self, connector: str, person: str) -> int:
        """Nothing of them stays but that there was a button: whoever presses it has forged nothing."""
        names = [name async for name, _ in self._button_names(connector, person)]
        async with self._redis.pipeline(transaction=False) as batch:
            for name in names:
                batch.set(name, NO_BUTTON, keepttl=True, xx=True)
            await batch.execute()
        return len(names)

    async def _heard(self, connector: str, person: str) -> list[Any]:
        names = [name async for name in self._scan(self._keys.heard(f"{connector}/*"))]
        found = [await self._redis.hget(name, f"person/{person}") for name in names]
        return [json.loads(one) for one in found if one is not None]

    async def _forget_heard(self, connector: str, person: str) -> int:
        names = [name async for name in self._scan(self._keys.heard(f"{connector}/*"))]
        return sum([int(await self._redis.hdel(name, f"person/{person}")) for name in names])

    async def _firing_ids(self, connector: str, person: str) -> dict[str, Any]:
        """As they are written: a newer release's may lack what this one expects, and are the person's all the same."""
        found = cast("dict[bytes, bytes]", await self._redis.hgetall(self._keys.firings()))
        theirs = {id: firing for id, firing in found.items() if _whose(firing) == (connector, person)}
        return {id.decode(): json.loads(firing) for id, firing in theirs.items()}

    async def _firings(self, connector: str, person: str) -> list[Any]:
        return list((await self._firing_ids(connector, person)).values())

    async def _forget_firings(self, connector: str, person: str) -> int:
        ids = list(await self._firing_ids(connector, person))
        if ids:
            await self._redis.hdel(self._keys.firings(), *ids)
            await self._redis.zrem(self._keys.firings_due(), *ids)
        return len(ids)

    @guarded
    async def remembered(self, connector: str, person: str) -> bool:
        """Whether the person has not said that nothing of them is to be remembered."""
        return not await self._redis.sismember(self._keys.unremembered(), f"{connector}/{person}")

    def remembering(self, connector: str, person: str, wanted: bool) -> Write:
        """The write that keeps what the person wants."""
        return ["SREM" if wanted else "SADD", self._keys.unremembered(), f"{connector}/{person}"]

    async def _unremembered(self, connector: str, person: str) -> list[Any]:
        return [] if await self.remembered(connector, person) else [f"{connector}/{person}"]

    async def _forget_unremembered(self, connector: str, person: str) -> int:
        return int(await self._redis.srem(self._keys.unremembered(), f"{connector}/{person}"))

    async def _naming(self, connector: str, person: str) -> AsyncIterator[tuple[str, Server]]:
        """Servers whose admins granted or denied the person something, made them something, or limited them, by their name."""
        head = self._keys.server("")
        async for key in self._scan(self._keys.server(f"{connector}/*")):
            server = await self._servers.get(key.removeprefix(head))
            if nameless(server, person) != server:
                yield key.removeprefix(head), server

    async def _granted(self, connector: str, person: str) -> list[Any]:
        return [
            json.loads(concerning(server, person).model_dump_json(exclude_defaults=True))
            async for _, server in self._naming(connector, person)
        ]

    async def _forget_granted(self, connector: str, person: str) -> int:
        """What admins decided about an id stays; what people call whoever has it goes."""
        found = [tenant async for tenant, _ in self._naming(connector, person)]
        for tenant in found:
            await self._servers.edit(tenant, lambda server: nameless(server, person))
        return len(found)

    async def _owner(self, connector: str, person: str) -> list[Any]:
        owner = (await self._house.get()).owners.get(f"{connector}/{person}")
        return [] if owner is None else [json.loads(owner.model_dump_json())]

    async def _forget_owner(self, connector: str, person: str) -> int:
        return int(await self._house.disown(f"{connector}/{person}"))

    async def _ruled(self, connector: str, person: str) -> list[Any]:
        return await self._deeds(self._keys.house_audit(), person)

    async def _forget_ruled(self, connector: str, person: str) -> int:
        return await self._forget_deeds(self._keys.house_audit(), person)

    async def _changed(self, connector: str, person: str) -> list[Any]:
        return [deed async for log in self._scan(self._keys.audit(f"{connector}/*")) for deed in await self._deeds(log, person)]

    async def _forget_changed(self, connector: str, person: str) -> int:
        return sum([await self._forget_deeds(log, person) async for log in self._scan(self._keys.audit(f"{connector}/*"))])

    async def _deeds(self, log: str, person: str) -> list[Any]:
        found = [json.loads(one) for one in cast("list[bytes]", await self._redis.lrange(log, 0, -1))]
        return [one for one in found if one["by"] == person or one.get("about") == f"person:{person}"]

    async def _forget_deeds(self, log: str, person: str) -> int:
        """Entries are kept without the person. One that is added meanwhile moves the others, so each is looked for anew."""
        count = 0
        for entry in cast("list[bytes]", await self._redis.lrange(log, 0, -1)):
            deed = deed_json.validate_json(entry)
            if (nobody := unnamed(deed, person)) != deed:
                await self._redis.linsert(log, "BEFORE", cast("str", entry), cast("str", deed_json.dump_json(nobody)))
                await self._redis.lrem(log, 1, cast("str", entry))
                count += 1
        return count


def _whose(firing: bytes) -> tuple[str, str]:
    told = outline(firing)
    return told.connector, told.person


def unnamed(deed: Deed, person: str) -> Deed:
    """An entry of a log without the person, who did it or whom it concerns."""
    if deed.by == person:
        deed = replace(deed, by="", name=SOMEBODY)
    if deed.about == f"person:{person}":
        what = (replace(one, values={**one.values, "who": SOMEBODY} if "who" in one.values else one.values) for one in deed.what)
        deed = replace(deed, about="", what=tuple(what))
    return deed


def nameless(server: Server, person: str) -> Server:
    """A server's choices without what people call the person."""
    who = f"person:{person}"

    def unnamed(layer: Choices) -> Choices:
        grants = (one.model_copy(update={"name": ""}) if one.who == who else one for one in layer.grants)
        return layer.model_copy(update={"grants": tuple(grants)})

    channels = {place: unnamed(layer) for place, layer in server.channels.items()}
    names = {one: name for one, name in server.names.items() if one != who}
    quotas = tuple(one.model_copy(update={"name": ""}) if one.whose == who else one for one in server.quotas)
    return server.model_copy(update={"choices": unnamed(server.choices), "channels": channels, "names": names, "quotas": quotas})


def concerning(server: Server, person: str) -> Server:
    """What of a server's choices is about the person."""
    who = f"person:{person}"

    def theirs(layer: Choices) -> Choices:
        return Choices(grants=tuple(one for one in layer.grants if one.who == who))

    return Server(
        choices=theirs(server.choices),
        channels={place: found for place, layer in server.channels.items() if (found := theirs(layer)).grants},
        levels={one: level for one, level in server.levels.items() if one == who},
        names={one: name for one, name in server.names.items() if one == who},
        quotas=tuple(one for one in server.quotas if one.whose == who),
    )
