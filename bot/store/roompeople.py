"""Who comes to which room, and who is about to say something there. What is said: `rooms.py`."""

from __future__ import annotations

import json
import time
from typing import Any

from redis.asyncio import Redis

from bot.messages import Person
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.places import LOBBY, Place, Present

KEPT = 30 * 86_400
"""Seconds a message is kept, and who came."""

MOST_CHANGES = 10_000
"""Changes that an onlooker whose connection was cut can catch up with."""

CHANGES_KEPT = 86_400

HERE = 60.0
"""Seconds after which somebody who gives no sign of life is away."""


class RoomPeople:
    """The people of every room. Nobody is in a room in which nothing was said yet, for there is none."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    @guarded
    async def join(self, room: str, person: Person) -> None:
        """A sign of life; again at least once a minute."""
        found: Any = await self._redis.hget(self._keys.room_people(room), person.id)
        name, seen = json.loads(found) if found else ("", 0.0)
        await self._seen(room, person, time.time(), told=name != person.name or time.time() - seen > HERE)

    @guarded
    async def leave(self, room: str, person: Person) -> None:
        """The person is away from now on; the name stays known."""
        await self._seen(room, person, time.time() - HERE, told=True)

    async def _seen(self, room: str, person: Person, at: float, told: bool) -> None:
        if room != LOBBY and await self._redis.zscore(self._keys.rooms(), room) is None:
            return
        key = self._keys.room_people(room)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, person.id, json.dumps([person.name, at]))
            pipe.expire(key, KEPT)
            if told:
                pipe.xadd(self._keys.room_changes(), {"place": room, "id": ""}, maxlen=MOST_CHANGES)
                pipe.expire(self._keys.room_changes(), CHANGES_KEPT)
            await pipe.execute()

    @guarded
    async def writes(self, place: Place, person: Person) -> None:
        """The person is writing there at this moment."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._keys.room_changes(), {"place": place.key, "id": "", "by": person.id}, maxlen=MOST_CHANGES)
            pipe.expire(self._keys.room_changes(), CHANGES_KEPT)
            await pipe.execute()

    @guarded
    async def name(self, room: str, id: str) -> str:
        """What the person of that id is called there, or nothing."""
        found: Any = await self._redis.hget(self._keys.room_people(room), id)
        return str(json.loads(found)[0]) if found else ""

    @guarded
    async def of(self, room: str) -> list[Present]:
        """Who came to the room within 30 days, those who are here first."""
        key, now = self._keys.room_people(room), time.time()
        found: Any = await self._redis.hgetall(key)
        known = {id.decode(): json.loads(value) for id, value in found.items()}
        if old := [id for id, (_, seen) in known.items() if now - seen > KEPT]:
            await self._redis.hdel(key, *old)
        people = [Present(Person(id, name), now - seen < HERE) for id, (name, seen) in known.items() if id not in old]
        return sorted(people, key=lambda present: (not present.here, present.person.name.casefold()))

    @guarded
    async def forget(self, person: str) -> None:
        """Deletes a person's name in every room."""
        async for name in self._redis.scan_iter(self._keys.room_people("*"), count=1000):
            await self._redis.hdel(name, person)
