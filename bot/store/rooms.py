"""Rooms: our own small chat platform in Redis, where pages and terminals meet the bot. The bot's side of it: `bot/connectors/room.py`.

Its words are in `places.py`, who comes is in `roompeople.py`, following it live is in `roomfeed.py`, files are in `uploads.py`.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.errors import UserError
from bot.messages import Person, Text
from bot.store.connection import blocking, guarded
from bot.store.exchanging import Command, answered, entries
from bot.store.keys import Keys
from bot.store.places import LOBBY, Arrival, Body, Came, Draft, Gone, Head, Place, RoomMessage, Writes
from bot.store.roomfeed import Change, Feed
from bot.store.roompeople import CHANGES_KEPT, KEPT, MOST_CHANGES, RoomPeople
from bot.store.scripts import Scripts
from bot.store.tickets import DECIDED, event_id
from bot.store.uploads import Uploads
from bot.translation import tr

MOST_MESSAGES = 2_000
"""Messages that a place remembers."""

MOST_ROOMS = 100
"""Rooms beside the lobby."""

NONCE_KEPT = 86_400
ARRIVALS_KEPT = 7 * 86_400
"""Seconds that what was said waits for a router."""

WAIT_MS = 2_000
"""Of one read; shorter than the connection's patience, as in `roomfeed.py`."""

log = structlog.get_logger(__name__)


class Rooms:
    """Every room. Pages and terminals use `say`, `click`, `people` and `watch`; the connector the rest.

    `files` is the folder that uploads lie in; all processes of one installation share it. `most` rooms may there be beside the lobby.
    """

    def __init__(self, redis: Redis, keys: Keys, files: Path, most: int = MOST_ROOMS) -> None:
        self.uploads = Uploads(files)
        self.people = RoomPeople(redis, keys)
        self._redis = redis
        self._keys = keys
        self._most = most
        self._feed = Feed(redis, keys, self.load, self.people.of)
        script = Scripts(redis)
        self._say = script("room_post")
        self._send = script("room_post", when_full=True)  # an answer comes even then
        self._edit = script("room_edit")

    async def say(self, place: Place, draft: Draft, nonce: str = "") -> str:
        """A person says something and the bot hears it; returns the message's id. A nonce that was used before makes nothing new.

        The first words make a room. Raises UserError with a sentence for the person when the draft is empty or too large, when there are
        as many rooms as may be, or when what began the thread is gone.
        """
        draft.check()
        head = Head(author=draft.author, mentions=draft.mentions, reply_to=draft.reply_to, language=draft.language)
        said = await self._write(place, head, Body(parts=draft.parts), f"{place.key}/{draft.author.id}/{nonce or uuid.uuid4().hex}", True)
        if said == "full":
            raise UserError(tr("There are {most} rooms already, which is as many as there may be. Say it in one of them.", most=self._most))
        if said == "gone":
            raise UserError(tr("That thread is gone."))
        if not place.person:
            await self.people.join(place.room, draft.author)  # who may be there only now, since these words have made the room
        return said

    async def send(self, place: Place, author: Person, body: Body, nonce: str, reply_to: str = "") -> str:
        """The bot says something; returns the message's id, the same one for the same nonce."""
        return await self._write(place, Head(author=author, reply_to=reply_to), body, f"{place.key}//{nonce}", False)

    @guarded
    async def _write(self, place: Place, head: Head, body: Body, nonce: str, heard: bool) -> str:
        keys, makes = self._keys, heard and not place.person and place.room != LOBBY
        names = [keys.room_order(place.key), keys.room_posts(place.key), keys.room_nonce(nonce), keys.room_changes(), keys.room_arrivals()]
        names += [keys.room_threads(place.room), keys.room_posts(place.room), keys.rooms()]
        args: list[str | bytes | int] = [place.key, head.model_dump_json(), body.model_dump_json(), int(heard)]
        args += [MOST_MESSAGES, KEPT, NONCE_KEPT, MOST_CHANGES, CHANGES_KEPT, ARRIVALS_KEPT]
        args += [place.room, place.thread, self._most if makes else 0]
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
            if place == Place(place.room):
                pipe.hdel(self._keys.room_threads(place.room), id)
            pipe.xadd(self._keys.room_changes(), {"place": place.key, "id": id}, maxlen=MOST_CHANGES)
            pipe.expire(self._keys.room_changes(), CHANGES_KEPT)
            await pipe.execute()

    @guarded
    async def load(self, wanted: Mapping[Place, Collection[str]]) -> list[Change]:
        """The messages of these ids as they stand, place by place, in one call; one that cannot be understood is as good as gone."""
        wanted = {place: ids for place, ids in wanted.items() if ids}
        if not wanted:
            return []
        fields = [(place, [f"{field}{id}" for id in ids for field in ("head", "body", "version")]) for place, ids in wanted.items()]
        channels = [place for place in wanted if place == Place(place.room)]
        posts: list[Command] = [("HMGET", self._keys.room_posts(place.key), *of) for place, of in fields]
        replies: list[Command] = [("HMGET", self._keys.room_threads(place.room), *wanted[place]) for place in channels]
        found = await answered(self._redis, [*posts, *replies])
        counts = dict(zip(channels, found[len(posts) :], strict=True))
        return [
            _message(place, id, said[at * 3 : at * 3 + 3], int(counts[place][at] or 0) if place in counts else 0)
            for (place, ids), said in zip(wanted.items(), found, strict=False)
            for at, id in enumerate(ids)
        ]

    async def get(self, place: Place, id: str) -> RoomMessage | None:
        """A message, or None when it is gone."""
        found = (await self.load({place: [id]}))[0]
        return found if isinstance(found, RoomMessage) else None

    async def history(self, place: Place, most: int = 200, before: str = "") -> list[RoomMessage]:
        """The last messages of a place, or the last `before` that one, oldest first."""
        loaded = await self.load({place: await self._last(place, most, before)})
        return [message for message in loaded if isinstance(message, RoomMessage)]

    @guarded
    async def _last(self, place: Place, most: int, before: str) -> list[str]:
        name, last = self._keys.room_order(place.key), f"({before}" if before else "+inf"
        found: Any = await self._redis.zrevrangebyscore(name, last, "-inf", start=0, num=most)
        return [id.decode() for id in reversed(found)]

    async def watch(self, *places: Place, most: int = 200, people: bool = False, news: bool = False) -> AsyncGenerator[list[Change], None]:
        """First a list with the last `most` messages of each place, then lists of what is new, edited or Gone, for ever.

        The first list comes when nothing can be missed any more, even if it is empty: say something after it. A message that
        changes often is given as it stands now, not once per change. With `people`, a Came says that somebody came or left, a Writes
        that somebody is about to say something; with `news` comes what is new in all other rooms, too.
        Close the generator (`contextlib.aclosing`) when done.
        """
        with self._feed.watching(places, news) as watch:
            await self._feed.ready()
            yield [message for place in places for message in await self.history(place, most)]
            while True:
                taken = await watch.take()
                if changes := [change for change in taken if people or not isinstance(change, Came | Writes)]:
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
        await self.people.forget(person)
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
        """What the bot has not dealt with, oldest first, behind the arrival `after`; waits up to 2 s for the first.

        The first wakes a read that blocks; who speaks at the same moment is found by a second one.
        """
        stream = self._keys.room_arrivals()
        found = (await blocking(entries(self._redis, {stream: after}, count=64, block=WAIT_MS))).get(stream, [])
        if found:
            found += (await entries(self._redis, {stream: found[-1][0]}, count=64)).get(stream, [])
        came = [(id.decode(), fields) for id, fields in found]
        wanted = defaultdict[Place, dict[str, None]](dict)
        for _, fields in came:
            wanted[Place.of(fields[b"place"].decode())][fields[b"id"].decode()] = None
        messages = {(one.place, one.id): one for one in await self.load(wanted) if isinstance(one, RoomMessage)}
        return [_arrival(id, fields, messages) for id, fields in came]

    @guarded
    async def done(self, arrival: Arrival, event: str = "") -> None:
        """The bot has taken it: no router is given it again, and for one that has it in hand it is decided what becomes of the `event`."""
        taken: list[Command] = [("XDEL", self._keys.room_arrivals(), arrival.id)]
        if event:  # first: an arrival that stays behind is then decided
            taken.insert(0, ("SET", self._keys.ticket(event_id("room", event)), "done", "EX", DECIDED))
        await answered(self._redis, taken)

    @guarded
    async def all(self) -> list[str]:
        """The rooms in which somebody has said something within 30 days, by name; the lobby is not among them."""
        await self._redis.zremrangebyscore(self._keys.rooms(), "-inf", time.time() - KEPT)
        found: Any = await self._redis.zrange(self._keys.rooms(), 0, -1)
        return sorted({name.decode() for name in found} - {LOBBY})  # older releases wrote it down

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


def _arrival(id: str, fields: Mapping[bytes, bytes], messages: Mapping[tuple[Place, str], RoomMessage]) -> Arrival:
    place, message = Place.of(fields[b"place"].decode()), fields[b"id"].decode()
    return Arrival(
        id,
        place,
        message,
        messages.get((place, message)),
        fields.get(b"button", b"").decode(),
        Person(*json.loads(fields[b"by"])) if b"by" in fields else None,
        tuple(json.loads(fields.get(b"chosen", b"[]"))),
        json.loads(fields.get(b"filled", b"null")),
        int(fields.get(b"version", 0)),
        b"gone" in fields,
    )
