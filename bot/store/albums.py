"""Parts of albums that a platform brings one by one, kept until no more come. Making one message of them: `router/gathering.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.messages import Message, message_json
from bot.store.connection import guarded
from bot.store.keys import Keys
from bot.store.scripts import Scripts

PAUSE = 1.0
"""Seconds without another part after which an album is whole: a platform brings the next as soon as it hears that one was taken."""

KEPT = 3600
"""Seconds for which a part that is brought again is known."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Album:
    """What is to become one message; `taken` are the events of its parts, as every router is told them."""

    name: str
    parts: Sequence[Message]
    taken: bytes


class Albums:
    """Any router adds parts, and any takes what is whole. When that is, Redis's clock says: those of routers differ."""

    def __init__(self, redis: Redis, keys: Keys, *, pause: float = PAUSE) -> None:
        self._keys = keys
        self._pause = pause
        scripts = Scripts(redis)
        self._add, self._due, self._take, self._done = (scripts(f"album_{name}") for name in ("add", "due", "take", "done"))
        self._strange: dict[str, set[tuple[str, str]]] = {}
        """By connector what this router does not understand, and has said so."""

    @guarded
    async def add(self, part: Message) -> None:
        """Returns once the part is kept; one that is brought again is nothing new."""
        name = f"{part.address.conversation}/{part.album}"
        keys = [self._keys.album(name), self._keys.albums_due(part.address.connector)]
        await self._add(keys=keys, args=[part.event, message_json.dump_json(part), KEPT, self._pause, name])

    @guarded
    async def whole(self, connector: str) -> list[Album]:
        """Of which nothing more comes, with the parts that are not written down yet; what comes from now on is in a later one.

        Parts that this router does not understand are left to one that does, or pass with their album.
        """
        found: list[Album] = []
        strange: set[tuple[str, str]] = set()
        for name, fields in await self._due(keys=[self._keys.albums_due(connector)], args=[self._keys.album("")]):
            parts, others = _read(dict(zip(fields[::2], fields[1::2], strict=True)))
            strange |= {(name.decode(), event) for event in others}
            taken = await self._take(keys=[self._keys.album(name.decode())], args=list(parts))
            events = json.loads(taken or "[]")
            if events and parts.keys() >= set(events):
                found.append(Album(name.decode(), [parts[event] for event in events], taken))
        for album, event in strange - self._strange.get(connector, set()):
            log.error("this router does not understand a part of an album, and leaves it to others", album=album, arrival=event)
        self._strange[connector] = strange
        return found

    @guarded
    async def done(self, album: Album) -> None:
        """Its message is written down; a part that is later than that is in a message of its own."""
        await self._done(keys=[self._keys.album(album.name)], args=[album.taken])


def _read(fields: Mapping[bytes, bytes]) -> tuple[dict[str, Message], list[str]]:
    """The parts that are not written down, by their events, and the events of those that nobody here understands."""
    parts: dict[str, Message] = {}
    strange: list[str] = []
    for event, part in fields.items():
        if event and part:
            try:
                parts[event.decode()] = message_json.validate_json(part)
            except ValidationError:  # of a newer release, whose routers are there, too
                strange.append(event.decode())
    return parts, strange
