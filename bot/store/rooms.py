"""Rooms: our own small chat platform in Redis, where pages and terminals meet the bot. The bot's side of it: `bot/connectors/room.py`.

Its words are in `places.py`, following it live is in `roomfeed.py`, files are in `uploads.py`.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.errors import UserError
from bot.messages import Person, Text
from bot.store.connection import blocking, guarded
from bot.store.keys import Keys
from bot.store.places import Arrival, Body, Came, Draft, Gone, Head, Place, Present, RoomMessage
from bot.store.roomfeed import Change, Feed
from bot.store.scripts import Scripts
from bot.store.uploads import Uploads
from bot.translation import tr

MOST_MESSAGES = 2_000
"""Messages that a place remembers."""

KEPT = 30 * 86_400
"""Seconds a message is kept."""

NONCE_KEPT = 86_400
MOST_CHANGES = 10_000
"""Changes that an onlooker whose connection was cut can catch up with."""

CHANGES_KEPT = 86_400
ARRIVALS_KEPT = 7 * 86_400
"""Seconds that what was said waits for a router."""

WAIT_MS = 2_000
"""Of one read; shorter than the connection's patience, as in `roomfeed.py`."""

HERE = 60.0
"""Seconds after which somebody who gives no sign of life is away."""

log = structlog.get_logger(__name__)


class Rooms:
    """Every room. Pages and terminals use `say`, `click`, `join` and `watch`; the connector the rest.

    `files` is the folder that uploads lie in; all processes of one installation share it.
    """

    def __init__(self, redis: Redis, keys: Keys, files: Path) -> None:
        self.uploads = Uploads(files)
        self._redis = redis
        self._keys = keys
        self._feed = Feed(redis, keys, self.load)
        script = Scripts(redis)
        self._say = script("room_post")
        self._send = script("room_post", when_full=True)  # an answer comes even then
        self._edit = script("room_edit")

    async def say(self, place: Place, draft: Draft, nonce: str = "") -> str:
        """A person says something and the bot hears it; returns the message's id. A nonce that was used before makes nothing new.

        Raises UserError with a sentence for the person when the draft is empty or too large.
        """
        draft.check()
        head = Head(author=draft.author, mentions=draft.mentions, reply_to=draft.reply_to, language=draft.language)
        return await self._write(place, head, Body(parts=draft.parts), f"{place.key}/{draft.author.id}/{nonce or uuid.uuid4().hex}", True)

    async def send(self, place: Place, author: Person, body: Body, nonce: str, reply_to: str = "") -> str:
        """The bot says something; returns the message's id, the same one for the same nonce."""
        return await self._write(place, Head(author=author, reply_to=reply_to), body, f"{place.key}//{nonce}", False)

    @guarded
    async def _write(self, place: Place, head: Head, body: Body, nonce: str, heard: bool) -> str:
        keys = self._keys
        names = [keys.room_order(place.key), keys.room_posts(place.key), keys.room_nonce(nonce), keys.room_changes(), keys.room_arrivals()]
        names.append(keys.room_threads(place.room))
        args: list[str | bytes | int] = [place.key, head.model_dump_json(), body.model_dump_json(), int(heard)]
        args += [
            MOST_MESSAGES,
            KEPT,
            NONCE_KEPT,
            MOST_CHANGES,
            CHANGES_KEPT,
            ARRIVALS_KEPT,
            place.room if place.thread else "",
            place.thread,
        ]
        id: bytes = await (self._say if heard else self._send)(keys=names, args=args)
        return id.decode()

    @guarded
    async def edit(self, place: Place, id: str, body: Body) -> bool:
        """Replaces what a message says; False when it is gone. Neither the same body nor a status line over an answer changes anything."""
        args: list[str | int] = [place.key, id, body.model_dump_json(), MOST_CHANGES, CHANGES_KEPT, int(body.busy)]
        return int(await self._edit(keys=[self._keys.room_posts(place.key), self._keys.room_changes()], args=args)) >= 0

    @guarded
    async def amend(self, place: Place, id: str, by: Person, text: str) -> None:
        """A person changes the words of their own message, and the bot hears of it. Raises UserError, as `say`."""
        message = await self._own(place, id, by)
        files = tuple(part for part in message.body.parts if not isinstance(part, Text))
        parts = (*([Text(text)] if text.strip() else []), *files)
        Draft(by, parts).check()
        names = [self._keys.room_posts(place.key), self._keys.room_changes(), self._keys.room_arrivals()]
        body = message.body.model_copy(update={"parts": parts}).model_dump_json()
        await self._edit(keys=names, args=[place.key, id, body, MOST_CHANGES, CHANGES_KEPT, 0, ARRIVALS_KEPT])

    async def withdraw(self, place: Place, id: str, by: Person) -> None:
        """A person takes their own message back, and the bot hears of it. Raises UserError."""
        await self.delete(place, id, told=(await self._own(place, id, by)).version)

    async def _own(self, place: Place, id: str, by: Person) -> RoomMessage:
        message = await self.get(place, id)
        if message is None or message.head.author.id != by.id:
            raise UserError(tr("That message is gone, or is not yours."))
        return message

    @guarded
    async def delete(self, place: Place, id: str, *, told: int | None = None) -> None:
        """Takes a message away; one that is gone is no error. The bot is told of its last version where its author does it."""
        async with self._redis.pipeline(transaction=True) as pipe:
            if told is not None:
                pipe.xadd(self._keys.room_arrivals(), {"place": place.key, "id": id, "gone": 1, "version": told})
                pipe.expire(self._keys.room_arrivals(), ARRIVALS_KEPT)
            pipe.zrem(self._keys.room_order(place.key), id)
            pipe.hdel(self._keys.room_posts(place.key), f"head{id}", f"body{id}", f"version{id}")
            pipe.xadd(self._keys.room_changes(), {"place": place.key, "id": id}, maxlen=MOST_CHANGES)
            pipe.expire(self._keys.room_changes(), CHANGES_KEPT)
            await pipe.execute()

    @guarded
    async def load(self, place: Place, ids: Sequence[str]) -> list[Change]:
        """The messages of these ids as they stand, in this order; one that cannot be understood is as good as gone."""
        if not ids:
            return []
        fields = [f"{field}{id}" for id in ids for field in ("head", "body", "version")]
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hmget(self._keys.room_posts(place.key), fields)
            pipe.hmget(self._keys.room_threads(place.room), ids)
            found, replies = await pipe.execute()
        in_channel = place == Place(place.room)
        return [_message(place, id, found[at * 3 : at * 3 + 3], int(replies[at] or 0) if in_channel else 0) for at, id in enumerate(ids)]

    async def get(self, place: Place, id: str) -> RoomMessage | None:
        """A message, or None when it is gone."""
        found = (await self.load(place, [id]))[0]
        return found if isinstance(found, RoomMessage) else None

    async def history(self, place: Place, most: int = 200) -> list[RoomMessage]:
        """The last messages of a place, oldest first."""
        loaded = await self.load(place, await self._last(place, most))
        return [message for message in loaded if isinstance(message, RoomMessage)]

    @guarded
    async def _last(self, place: Place, most: int) -> list[str]:
        found: Any = await self._redis.zrange(self._keys.room_order(place.key), -most, -1) if most else []
        return [id.decode() for id in found]

    async def watch(
        self, *places: Place, most: int = 200, people: bool = False, news: Sequence[Place] = ()
    ) -> AsyncGenerator[list[Change], None]:
        """First a list with the last `most` messages of each place, then lists of what is new, edited or Gone, for ever; in `news`, too.

        The first list comes when nothing can be missed any more, even if it is empty: say something after it. A message that
        changes often is given as it stands now, not once per change. With `people`, a Came says that somebody came or left.
        Close the generator (`contextlib.aclosing`) when done.
        """
        with self._feed.watching([*places, *news]) as watch:
            await self._feed.ready()
            yield [message for place in places for message in await self.history(place, most)]
            while True:
                taken = await watch.take()
                if changes := [change for change in taken if people or not isinstance(change, Came)]:
                    yield changes

    @guarded
    async def said_by(self, person: str) -> list[RoomMessage]:
        """Every message of a person, in all places."""
        head, found = self._keys.room_order(""), []
        async for name in self._redis.scan_iter(f"{head}*", count=1000):
            place = Place.of(name.decode().removeprefix(head))
            found += [message for message in await self.history(place, MOST_MESSAGES) if message.head.author.id == person]
        return found

    @guarded
    async def forget(self, person: str) -> int:
        """Deletes a person's name and every message; how many there were. Files go after 30 days: others may have sent the same."""
        said = await self.said_by(person)
        for message in said:
            await self.delete(message.place, message.id)
        async for name in self._redis.scan_iter(self._keys.room_people("*"), count=1000):
            await self._redis.hdel(name, person)
        return len(said)

    @guarded
    async def click(
        self, place: Place, id: str, button: str, by: Person, chosen: Sequence[str] = (), filled: Mapping[str, Any] | None = None
    ) -> None:
        """A person clicks a button below a message, has `chosen` from its menu or `filled` in its form; every click is one of its own."""
        fields: dict[Any, Any] = {"place": place.key, "id": id, "button": button, "by": json.dumps([by.id, by.name])}
        fields["chosen"] = json.dumps(list(chosen))
        if filled is not None:
            fields["filled"] = json.dumps(dict(filled))
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._keys.room_arrivals(), fields)
            pipe.expire(self._keys.room_arrivals(), ARRIVALS_KEPT)
            await pipe.execute()

    @guarded
    async def arrivals(self, after: str = "0-0") -> list[Arrival]:
        """What the bot has not dealt with, oldest first, behind the arrival `after`; waits up to 2 s for the first."""
        found: Any = await blocking(self._redis.xread({self._keys.room_arrivals(): after}, count=64, block=WAIT_MS))
        return [await self._arrival(id.decode(), fields) for _, entries in found for id, fields in entries]

    async def _arrival(self, id: str, fields: dict[bytes, bytes]) -> Arrival:
        place, message = Place.of(fields[b"place"].decode()), fields[b"id"].decode()
        return Arrival(
            id,
            place,
            message,
            await self.get(place, message),
            fields.get(b"button", b"").decode(),
            Person(*json.loads(fields[b"by"])) if b"by" in fields else None,
            tuple(json.loads(fields.get(b"chosen", b"[]"))),
            json.loads(fields.get(b"filled", b"null")),
            int(fields.get(b"version", 0)),
            b"gone" in fields,
        )

    @guarded
    async def done(self, arrival: Arrival) -> None:
        """The bot has taken it: no router is given it again."""
        await self._redis.xdel(self._keys.room_arrivals(), arrival.id)

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
        key, place = self._keys.room_people(room), Place(room)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, person.id, json.dumps([person.name, at]))
            pipe.expire(key, KEPT)
            pipe.zadd(self._keys.rooms(), {room: at})
            pipe.expire(self._keys.rooms(), KEPT)
            if told:
                pipe.xadd(self._keys.room_changes(), {"place": place.key, "id": ""}, maxlen=MOST_CHANGES)
                pipe.expire(self._keys.room_changes(), CHANGES_KEPT)
            await pipe.execute()

    @guarded
    async def all(self) -> list[str]:
        """The rooms that somebody was in within 30 days, by name."""
        await self._redis.zremrangebyscore(self._keys.rooms(), "-inf", time.time() - KEPT)
        found: Any = await self._redis.zrange(self._keys.rooms(), 0, -1)
        return sorted(name.decode() for name in found)

    @guarded
    async def name(self, room: str, id: str) -> str:
        """What the person of that id is called there, or nothing."""
        found: Any = await self._redis.hget(self._keys.room_people(room), id)
        return str(json.loads(found)[0]) if found else ""

    @guarded
    async def people(self, room: str) -> list[Present]:
        """Who came to the room within 30 days, those who are here first."""
        key, now = self._keys.room_people(room), time.time()
        found: Any = await self._redis.hgetall(key)
        known = {id.decode(): json.loads(value) for id, value in found.items()}
        if old := [id for id, (_, seen) in known.items() if now - seen > KEPT]:
            await self._redis.hdel(key, *old)
        people = [Present(Person(id, name), now - seen < HERE) for id, (name, seen) in known.items() if id not in old]
        return sorted(people, key=lambda present: (not present.here, present.person.name.casefold()))

    async def close(self) -> None:
        """Stops following."""
        await self._feed.close()


def _message(place: Place, id: str, found: Sequence[bytes | None], replies: int) -> Change:
    head, body, version = found
    if head is None or body is None:
        return Gone(place, id)
    try:
        return RoomMessage(place, id, int(version or 0), Head.model_validate_json(head), Body.model_validate_json(body), replies)
    except ValidationError as error:  # another release wrote it; one message must not hide all the others
        log.warning("a message in the store cannot be understood", place=place.key, message=id, faults=error.error_count())
        return Gone(place, id)
